/** Bins of a histogram of logit q. */
export const SCORE_BINS = 16;

/** The bin of a finite score q: width 1 over logit q in [-8, 8), clamped. */
export function scoreBin(score: number): number {
  const logit = Math.log(score / (1 - score));
  return Math.min(SCORE_BINS - 1, Math.max(0, Math.floor(logit) + SCORE_BINS / 2));
}
