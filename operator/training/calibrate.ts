/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices are bounded by rows and columns of one design matrix */
import type { ScoreCoefficients, ScoreFeature } from '../../crds/wire/head-bundle.ts';
import { scoreFeatures } from '../../server/core/score.ts';
import { auroc } from './auroc.ts';

/** Logistic regression on standardised columns. */
export interface LogisticFit {
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly weights: readonly number[];
  readonly intercept: number;
}

const MAX_STEPS = 25;
const RIDGE_PER_ROW = 1e-3;
/** A further feature joins only when it ranks better by this much. */
const FEATURE_GAIN = 0.002;

/**
 * Fits P(y = 1) = sigmoid(intercept + sum weights * (x - mean) / scale) by Newton's method with step halving; ridge
 * 1e-3 * n on weights, the intercept is free up to 1e-9, so separable data and data of one class converge (exits.md 4.4).
 * @param columns features, each [rows]; constant ones get scale 1. @param y 0 or 1 per row. At least one row.
 */
export function fitLogistic(
  columns: readonly ArrayLike<number>[],
  y: ArrayLike<number>,
): LogisticFit {
  const mean = columns.map((column) => average(Array.from(column)));
  const scale = columns.map((column, k) => {
    const variance = average(Array.from(column, (x) => (x - mean[k]!) ** 2));
    return variance > 0 ? Math.sqrt(variance) : 1;
  });
  const design = columns.map((column, k) =>
    Float64Array.from(column, (x) => (x - mean[k]!) / scale[k]!),
  );
  design.push(new Float64Array(y.length).fill(1));
  const beta = newton(design, y);
  return { mean, scale, weights: beta.slice(0, -1), intercept: beta[beta.length - 1]! };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Penalty of each coefficient; the last is the intercept. */
function penalties(count: number, rows: number): readonly number[] {
  return Array.from({ length: count }, (_, k) => (k === count - 1 ? 1e-9 : RIDGE_PER_ROW) * rows);
}

function linear(design: readonly Float64Array[], beta: readonly number[], row: number): number {
  return design.reduce((sum, column, k) => sum + beta[k]! * column[row]!, 0);
}

/** Negative log-likelihood plus ridge / 2. */
function objective(
  design: readonly Float64Array[],
  y: ArrayLike<number>,
  beta: readonly number[],
): number {
  const ridge = penalties(beta.length, y.length);
  let total = beta.reduce((sum, b, k) => sum + 0.5 * ridge[k]! * b * b, 0);
  for (let row = 0; row < y.length; row++) {
    const eta = linear(design, beta, row);
    // ln(1 + e^eta) without overflow.
    total += Math.max(eta, 0) + Math.log1p(Math.exp(-Math.abs(eta))) - y[row]! * eta;
  }
  return total;
}

function newton(design: readonly Float64Array[], y: ArrayLike<number>): number[] {
  let beta: number[] = design.map(() => 0);
  let value = objective(design, y, beta);
  for (let step = 0; step < MAX_STEPS; step++) {
    const direction = newtonDirection(design, y, beta);
    const { next, nextValue } = halvedStep(value, (length) => {
      const moved = beta.map((b, k) => b - length * direction[k]!);
      return { next: moved, nextValue: objective(design, y, moved) };
    });
    if (!(nextValue < value - 1e-12 * Math.abs(value))) break;
    beta = next;
    value = nextValue;
  }
  return beta;
}

interface NewtonStep {
  readonly next: number[];
  readonly nextValue: number;
}

/** The longest of the steps 1, 1/2, 1/4, ... that does not raise the objective; the shortest when all do. */
function halvedStep(value: number, take: (length: number) => NewtonStep): NewtonStep {
  let length = 1;
  let step = take(length);
  while (step.nextValue > value && length > 1e-6) {
    length /= 2;
    step = take(length);
  }
  return step;
}

/** Hessian^-1 gradient. */
function newtonDirection(
  design: readonly Float64Array[],
  y: ArrayLike<number>,
  beta: readonly number[],
): number[] {
  const ridge = penalties(beta.length, y.length);
  const gradient = beta.map((b, k) => ridge[k]! * b);
  const hessian = beta.map((_, k) => beta.map((__, l) => (k === l ? ridge[k]! : 0)));
  for (let row = 0; row < y.length; row++) {
    const p = 1 / (1 + Math.exp(-linear(design, beta, row)));
    for (let k = 0; k < beta.length; k++) {
      gradient[k]! += (p - y[row]!) * design[k]![row]!;
      for (let l = 0; l < beta.length; l++) {
        hessian[k]![l]! += p * (1 - p) * design[k]![row]! * design[l]![row]!;
      }
    }
  }
  return solve(hessian, gradient);
}

/** Gaussian elimination; the matrix is positive definite by the ridge, so no pivoting is needed. */
function solve(matrix: readonly number[][], right: readonly number[]): number[] {
  const a = matrix.map((row, k) => [...row, right[k]!]);
  for (let k = 0; k < a.length; k++) {
    for (let below = k + 1; below < a.length; below++) {
      const factor = a[below]![k]! / a[k]![k]!;
      a[below] = a[below]!.map((value, column) => value - factor * a[k]![column]!);
    }
  }
  const x = right.map(() => 0);
  for (let k = a.length - 1; k >= 0; k--) {
    const known = x.reduce((sum, value, l) => sum + a[k]![l]! * value, 0);
    x[k] = (a[k]![a.length]! - known) / a[k]![k]!;
  }
  return x;
}

export interface ScoreFit {
  readonly coefficients: ScoreCoefficients;
  /** Of "head agrees" on the rows fitted. */
  readonly auroc: number;
}

/**
 * Fits the score on validation rows: x1 alone, then x2 and x3 where the ranking gains >= 0.002 AUROC (exits.md 4.4).
 * @param logits [rows, classCount], finite. @param agrees 1 where the head names the backbone's class.
 */
export function fitScore(logits: Float32Array, classCount: number, agrees: Uint8Array): ScoreFit {
  const rows = Array.from(agrees, (_, row) => scoreFeatures(logits, row * classCount, classCount));
  const column = (feature: ScoreFeature): Float64Array =>
    Float64Array.from(rows, (row) => row[feature]);
  const fit = (features: readonly ScoreFeature[]): ScoreFit => {
    const columns = features.map(column);
    const coefficients = { features, ...fitLogistic(columns, agrees) };
    const scores = Float64Array.from(rows, (_, row) => {
      const { mean, scale, weights } = coefficients;
      return weights.reduce(
        (sum, w, k) => sum + (w * (columns[k]![row]! - mean[k]!)) / scale[k]!,
        0,
      );
    });
    return { coefficients, auroc: auroc(scores, agrees) };
  };
  let best = fit(['logitMax']);
  for (const feature of ['margin', 'entropy'] as const) {
    const wider = fit([...best.coefficients.features, feature]);
    if (wider.auroc >= best.auroc + FEATURE_GAIN) best = wider;
  }
  return best;
}

const TEMPERATURE_RANGE = [0.5, 5] as const;

/** T_e in 0.5..5 by likelihood of the backbone's classes under softmax(z / T): golden-section search on ln T, to 1e-4. */
export function fitTemperature(
  logits: Float32Array,
  classCount: number,
  classes: ArrayLike<number>,
): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  let low = Math.log(TEMPERATURE_RANGE[0]);
  let high = Math.log(TEMPERATURE_RANGE[1]);
  while (high - low > 1e-4) {
    const a = high - golden * (high - low);
    const b = low + golden * (high - low);
    const isLower =
      meanLoss(logits, classCount, classes, Math.exp(a)) <
      meanLoss(logits, classCount, classes, Math.exp(b));
    if (isLower) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}

function meanLoss(
  logits: Float32Array,
  classCount: number,
  classes: ArrayLike<number>,
  temperature: number,
): number {
  let total = 0;
  for (let row = 0; row < classes.length; row++) {
    const z = logits.subarray(row * classCount, (row + 1) * classCount);
    const largest = z.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = z.reduce((s, value) => s + Math.exp((value - largest) / temperature), 0);
    total += Math.log(sum) - (z[classes[row]!]! - largest) / temperature;
  }
  return total / classes.length;
}
