import type { LoadFailure, LoadingState } from '../../crds/wire/loading-state.ts';

/** How far the backbone is, for /v1/state and the startup probe. */
export interface LoadProgress {
  readonly now: LoadingState['loading'];
  /** Scheme of the place it comes from. */
  readonly source: string;
  /** Bytes that came over the network: in attempts that failed, and since. */
  readonly bytes: { readonly failed: number; readonly since: number };
  arrived(bytes: number): void;
  fetching(): void;
  loading(): void;
  failed(failure: LoadFailure): void;
}

export function createLoadProgress(source = 'file'): LoadProgress {
  let now: LoadingState['loading'] = { step: 'Loading', failedAttempts: 0, failure: null };
  let bytes = { failed: 0, since: 0 };
  return {
    source,
    get bytes() {
      return bytes;
    },
    arrived: (more) => {
      bytes = { ...bytes, since: bytes.since + more };
    },
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
      bytes = { failed: bytes.failed + bytes.since, since: 0 };
    },
  };
}
