/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length; a missing number would turn into NaN, which goes to the backbone */
import type { ScoreCoefficients } from '../../crds/wire/head-bundle.ts';

/** x1, x2, x3 of exits.md 4.4; names as ScoreFeature. */
export interface ScoreFeatures {
  /** logit(p_max), within +-15. */
  readonly logitMax: number;
  /** p1 - p2 of the two largest probabilities. */
  readonly margin: number;
  /** Entropy / ln C, 0..1. */
  readonly entropy: number;
}

export type OutputKind = 'Logits' | 'Probabilities' | 'LogProbabilities';

const LOGIT_LIMIT = 15;
const NOT_A_SCORE: ScoreFeatures = { logitMax: NaN, margin: NaN, entropy: NaN };

/**
 * Features of one row of logits (exits.md 4.4); `offset` is the row's first entry.
 * A non-finite logit, or fewer than two classes, gives NaN in all three.
 */
export function scoreFeatures(
  logits: ArrayLike<number>,
  offset: number,
  classCount: number,
): ScoreFeatures {
  if (classCount < 2) return NOT_A_SCORE;
  const best = argmax(logits, offset, classCount);
  const first = logits[offset + best]!;
  let second = -Infinity;
  let others = 0;
  let weighted = 0;
  for (let c = 0; c < classCount; c++) {
    const z = logits[offset + c]!;
    if (!Number.isFinite(z)) return NOT_A_SCORE;
    if (c === best) continue;
    if (z > second) second = z;
    const weight = Math.exp(z - first);
    others += weight;
    weighted += weight * (z - first);
  }
  // The largest weight is exactly 1 and kept apart, so that a sure row loses no digits.
  const sum = 1 + others;
  return {
    logitMax: Math.min(LOGIT_LIMIT, Math.max(-LOGIT_LIMIT, -Math.log(others))),
    margin: (1 - Math.exp(second - first)) / sum,
    entropy: (Math.log1p(others) - weighted / sum) / Math.log(classCount),
  };
}

/** Logit of the score q of one row; NaN for a non-finite logit or coefficient. */
export function scoreLogit(
  logits: ArrayLike<number>,
  offset: number,
  classCount: number,
  coefficients: ScoreCoefficients,
): number {
  const row = scoreFeatures(logits, offset, classCount);
  const { features, mean, scale, weights } = coefficients;
  let sum = coefficients.intercept;
  for (let i = 0; i < features.length; i++) {
    sum += (weights[i]! * (row[features[i]!] - mean[i]!)) / scale[i]!;
  }
  return Number.isFinite(sum) ? sum : NaN;
}

/**
 * Score q of one row: the calibrated probability that head and backbone agree (exits.md 4.4).
 * NaN for a non-finite logit: such a row runs on. Rounds to 0 or 1 only beyond a logit of +-36.
 */
export function scoreRow(
  logits: ArrayLike<number>,
  offset: number,
  classCount: number,
  coefficients: ScoreCoefficients,
): number {
  return 1 / (1 + Math.exp(-scoreLogit(logits, offset, classCount, coefficients)));
}

/** Index of the largest of `classCount` values from `offset`; ties go to the lowest. NaN never wins; all NaN gives 0. */
export function argmax(logits: ArrayLike<number>, offset: number, classCount: number): number {
  let best = 0;
  let largest = -Infinity;
  for (let c = 0; c < classCount; c++) {
    const z = logits[offset + c]!;
    if (z > largest) {
      largest = z;
      best = c;
    }
  }
  return best;
}

/**
 * The class output of an early answer in the backbone's own kind: z/T, its softmax, or its log-softmax (exits.md 4.1).
 * Decides nothing: the order of classes stays that of the logits.
 */
export function calibratedOutput(
  logits: ArrayLike<number>,
  offset: number,
  classCount: number,
  calibration: { readonly temperature: number; readonly kind: OutputKind },
): Float32Array {
  const { temperature, kind } = calibration;
  const scaled = Float64Array.from(
    { length: classCount },
    (_, c) => logits[offset + c]! / temperature,
  );
  if (kind === 'Logits') return Float32Array.from(scaled);
  const largest = scaled.reduce((a, b) => Math.max(a, b), -Infinity);
  const logSum = largest + Math.log(scaled.reduce((sum, z) => sum + Math.exp(z - largest), 0));
  return Float32Array.from(scaled, (z) =>
    kind === 'LogProbabilities' ? z - logSum : Math.exp(z - logSum),
  );
}
