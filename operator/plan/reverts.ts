const WINDOW_MS = 600_000;
const MAX_IN_WINDOW = 5;
const BACK_OFF_MS = 300_000;

export interface RevertPlan {
  /** Whether to repair now. */
  readonly isDue: boolean;
  /** When to look again; null when repaired now. */
  readonly retryAtMs: number | null;
  /** To keep for the next call: repairs of the last ten minutes. */
  readonly revertTimesMs: readonly number[];
  /** Somebody keeps editing the object: tell it, as event `ChildEditedRepeatedly`. */
  readonly isRepeated: boolean;
}

/**
 * Whether an edited child is put right now. Five times in ten minutes mean another writer that will not stop: from then on
 * once every five minutes.
 */
export function planRevert(revertTimesMs: readonly number[], nowMs: number): RevertPlan {
  const recent = revertTimesMs.filter((timeMs) => nowMs - timeMs < WINDOW_MS);
  const isRepeated = recent.length >= MAX_IN_WINDOW;
  const retryAtMs = (recent.at(-1) ?? 0) + BACK_OFF_MS;
  if (isRepeated && nowMs < retryAtMs) {
    return { isDue: false, retryAtMs, revertTimesMs: recent, isRepeated };
  }
  return { isDue: true, retryAtMs: null, revertTimesMs: [...recent, nowMs], isRepeated };
}
