/** What one process remembers of a service's trainings. All of it can be lost: it saves calls and words. */
export interface TrainingMemory {
  /** By attempt: what its trainer said last, for when its pod is gone. */
  readonly words: Map<number, string>;
  /** By attempt: why its bundle cannot be kept. */
  readonly refusals: Map<number, string>;
  /** Jobs that nobody waits for, since when (monotonic). */
  readonly staleSinceMs: Map<string, number>;
  /** Generations whose Secret was made. */
  readonly secrets: Set<number>;
}

export function newTrainingMemory(): TrainingMemory {
  return {
    words: new Map(),
    refusals: new Map(),
    staleSinceMs: new Map(),
    secrets: new Set(),
  };
}
