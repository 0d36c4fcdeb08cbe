// Work in slices: many small steps, and a pause only after about a millisecond of them, since each pause may wait for a batch.
import { performance } from 'node:perf_hooks';

const SLICE_MS = 1;

/** Pauses once a slice has been worked since the last pause; the first slice begins now. */
export function slicedBy(
  pause: () => Promise<void>,
  nowMs: () => number = () => performance.now(),
): () => Promise<void> {
  let sinceMs = nowMs();
  return async () => {
    if (nowMs() - sinceMs < SLICE_MS) return;
    await pause();
    sinceMs = nowMs();
  };
}
