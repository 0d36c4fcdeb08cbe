import type { Clock } from './clock.ts';

/**
 * Starting -> Serving -> Leaving (not ready, still answering) -> Draining (new requests are refused). Ready also needs
 * an engine that was up within the last five seconds.
 */
export type LifecycleStage = 'Starting' | 'Serving' | 'Leaving' | 'Draining';

export function isLeaving(stage: LifecycleStage): boolean {
  return stage === 'Leaving' || stage === 'Draining';
}

export interface ServerLifecycle {
  readonly stage: LifecycleStage;
  enter(stage: LifecycleStage): void;
  engineUp(isUp: boolean): void;
  /** It is down for what it answered: not ready at once. */
  engineWrong(): void;
  isReady(): boolean;
}

const DOWN_TOLERATED_MS = 5_000;

export function createLifecycle(clock: Clock): ServerLifecycle {
  let stage: LifecycleStage = 'Starting';
  let downSinceMs: number | null = clock.monotonicMs();
  return {
    get stage() {
      return stage;
    },
    enter: (next) => {
      stage = next;
    },
    engineUp: (isUp) => {
      if (isUp) downSinceMs = null;
      else downSinceMs ??= clock.monotonicMs();
    },
    engineWrong: () => {
      downSinceMs = -Infinity;
    },
    isReady: () =>
      stage === 'Serving' &&
      (downSinceMs === null || clock.monotonicMs() - downSinceMs < DOWN_TOLERATED_MS),
  };
}
