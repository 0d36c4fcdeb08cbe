import type { LoadFailure, LoadingState } from '../../crds/wire/loading-state.ts';

/** How far the backbone is, for /v1/state and the startup probe. */
export interface LoadProgress {
  readonly now: LoadingState['loading'];
  fetching(): void;
  loading(): void;
  failed(failure: LoadFailure): void;
}

export function createLoadProgress(): LoadProgress {
  let now: LoadingState['loading'] = { step: 'Loading', failedAttempts: 0, failure: null };
  return {
    get now() {
      return now;
    },
    fetching: () => {
      now = { ...now, step: 'Fetching' };
    },
    loading: () => {
      now = { ...now, step: 'Loading' };
    },
    failed: (failure) => {
      now = { ...now, failedAttempts: now.failedAttempts + 1, failure };
    },
  };
}
