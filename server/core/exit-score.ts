import type { ScoreCoefficients } from '../../crds/wire/head-bundle.ts';
import { argmax, scoreRow } from './score.ts';

/** How a head's logits become the score that lets a row leave. */
export interface ExitScoring {
  readonly classCount: number;
  /** Classes that an exit may answer; null: all. */
  readonly answerable: readonly number[] | null;
  readonly coefficients: ScoreCoefficients;
}

/**
 * Score q of one row: 0 where the head names a class that no exit may answer, so that at every lambda the row runs on and later heads
 * are asked. NaN for a non-finite logit, whatever the class.
 */
export function exitScore(
  logits: ArrayLike<number>,
  offset: number,
  { classCount, answerable, coefficients }: ExitScoring,
): number {
  const score = scoreRow(logits, offset, classCount, coefficients);
  if (answerable === null || !Number.isFinite(score)) return score;
  return answerable.includes(argmax(logits, offset, classCount)) ? score : 0;
}
