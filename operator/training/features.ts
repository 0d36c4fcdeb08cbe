/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices are bounded by [rows, featureCount] */
import { decodeHalf } from '../../crds/wire/half-float.ts';
import type { PoolSize } from '../../crds/wire/head-bundle.ts';
import { coarsenPooled } from '../../server/core/pool.ts';
import type { DatasetExit } from './dataset.ts';

/** Standardised features of all rows, with the constants a server needs to do the same. */
export interface StandardFeatures {
  readonly featureCount: number;
  readonly mean: Float32Array;
  readonly scale: Float32Array;
  /** [rows, featureCount], within +-8. */
  readonly x: Float32Array;
}

const FEATURE_LIMIT = 8;
/** Smallest scale, as a share of the root mean square of all scales: a dead feature must not be blown up. */
const SMALLEST_SCALE = 1e-3;

/**
 * Features at a pool, standardised by mean and standard deviation of the training rows (exits.md 4.1).
 * Costs 8 bytes per row and feature while it runs, 4 after. Features that never vary get scale 1.
 */
export function standardFeatures(
  { exit, features }: DatasetExit,
  pool: PoolSize,
  trainingRows: Uint32Array,
): StandardFeatures {
  const rows = features.length / exit.featureCount;
  const fine = decodeHalf(features);
  const x = pool === exit.pool ? fine : coarsenPooled(fine, { ...exit, rows }, pool);
  const featureCount = x.length / rows;
  const mean = meanOf(x, featureCount, trainingRows);
  const scale = scaleOf(x, mean, trainingRows);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < featureCount; i++) {
      const at = row * featureCount + i;
      const value = (x[at]! - mean[i]!) / scale[i]!;
      x[at] = Math.max(-FEATURE_LIMIT, Math.min(FEATURE_LIMIT, value));
    }
  }
  return { featureCount, mean, scale, x };
}

function meanOf(x: Float32Array, featureCount: number, rows: Uint32Array): Float32Array {
  const sums = new Float64Array(featureCount);
  for (const row of rows) {
    for (let i = 0; i < featureCount; i++) sums[i]! += x[row * featureCount + i]!;
  }
  return Float32Array.from(sums, (sum) => sum / rows.length);
}

function scaleOf(x: Float32Array, mean: Float32Array, rows: Uint32Array): Float32Array {
  const featureCount = mean.length;
  const squares = new Float64Array(featureCount);
  for (const row of rows) {
    for (let i = 0; i < featureCount; i++) {
      squares[i]! += (x[row * featureCount + i]! - mean[i]!) ** 2;
    }
  }
  const variances = squares.map((square) => square / rows.length);
  const overall = Math.sqrt(variances.reduce((sum, v) => sum + v, 0) / featureCount);
  const floor = overall > 0 ? SMALLEST_SCALE * overall : 1;
  return Float32Array.from(variances, (v) => Math.max(floor, Math.sqrt(v)));
}
