/** What a backbone does with an input. */
export const TASKS = ['Classification', 'Detection'] as const;

export type TaskName = (typeof TASKS)[number];
