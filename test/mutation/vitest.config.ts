import { defineConfig } from 'vitest/config';

// Pure code alone: no cluster, no processes. Which tests run.mjs says: a mutant of a constant is asked of all that are included.
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: (process.env.LAYERCACHE_MUTATION_TESTS ?? 'test/unit/**/*.test.ts').split(' '),
    testTimeout: 120_000,
  },
});
