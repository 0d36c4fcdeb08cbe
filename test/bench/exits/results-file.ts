/** From the root of the repository, where `npm run` starts. */
export const RESULTS_FILE = 'test/bench/exits/results.json';
