/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
import type { PoolSize } from '../../crds/wire/head-bundle.ts';
import { invariant } from './invariant.ts';

/** Extent and memory order of an activation. Tokens: height = sequence, width = 1; vectors: 1 x 1. */
export interface ActivationShape {
  readonly rows: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly layout: 'NHWC' | 'NCHW';
}

/** What pooled features came from. */
export interface PooledShape {
  readonly rows: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly pool: PoolSize;
}

const MAX_RECORDED_FEATURES = 2048;
const FINEST_FIRST: readonly PoolSize[] = [4, 2];

/** The finest pool that the recorder keeps (exits.md 3): channels * pool^2 <= 2,048 and pool <= both sides that are pooled; else 1. */
export function finestPool(channels: number, height: number, width: number): PoolSize {
  const side = Math.min(height, width);
  const fits = (pool: PoolSize): boolean =>
    pool <= side && channels * pool * pool <= MAX_RECORDED_FEATURES;
  return FINEST_FIRST.find(fits) ?? 1;
}

/** First row or column of cell `cell`; cells are floor(i*size/pool) .. floor((i+1)*size/pool) - 1 and never overlap. */
function cellStart(cell: number, size: number, pool: number): number {
  return Math.floor((cell * size) / pool);
}

/**
 * Averages an activation over pool x pool cells (exits.md 3).
 * @param activation row-major in the order of `shape.layout`.
 * @returns [rows, pool*pool*channels]; index (cellRow*pool + cellColumn)*channels + channel.
 * A pool above height or width, or a wrong length, throws InvariantError. NaN in, NaN out: the caller decides.
 */
export function poolActivation(
  activation: Float32Array,
  shape: ActivationShape,
  pool: PoolSize,
): Float32Array {
  const { rows, height, width, channels } = shape;
  invariant(
    pool <= height && pool <= width,
    `pool ${pool} on an activation of ${height} x ${width}`,
  );
  invariant(
    activation.length === rows * height * width * channels,
    `activation of ${activation.length} values, shape says ${rows * height * width * channels}`,
  );
  const pooled = new Float32Array(rows * pool * pool * channels);
  const poolRow = shape.layout === 'NHWC' ? poolChannelsLast : poolChannelsFirst;
  for (let row = 0; row < rows; row++) poolRow(activation, row, shape, { pooled, pool });
  return pooled;
}

/**
 * The same averages as weights of a product of matrices, for cells of different sizes.
 * @param at where the weight of a cell for a pixel (y * width + x) goes.
 * @returns 1 / area where a pixel lies in a cell, else 0.
 */
export function cellWeights(
  pool: PoolSize,
  height: number,
  width: number,
  at: (cell: number, pixel: number) => number,
): Float32Array {
  const weights = new Float32Array(pool * pool * height * width);
  for (let cell = 0; cell < pool * pool; cell++) {
    const [row, column] = [Math.floor(cell / pool), cell % pool];
    const [top, bottom] = [cellStart(row, height, pool), cellStart(row + 1, height, pool)];
    const [left, right] = [cellStart(column, width, pool), cellStart(column + 1, width, pool)];
    const share = 1 / ((bottom - top) * (right - left));
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) weights[at(cell, y * width + x)] = share;
  }
  return weights;
}

interface PoolTarget {
  readonly pooled: Float32Array;
  readonly pool: number;
}

function poolChannelsLast(
  activation: Float32Array,
  row: number,
  { height, width, channels }: ActivationShape,
  { pooled, pool }: PoolTarget,
): void {
  const sums = new Float64Array(channels);
  const base = row * height * width * channels;
  let target = row * pool * pool * channels;
  for (let cellRow = 0; cellRow < pool; cellRow++) {
    const top = cellStart(cellRow, height, pool);
    const bottom = cellStart(cellRow + 1, height, pool);
    for (let cellColumn = 0; cellColumn < pool; cellColumn++) {
      const left = cellStart(cellColumn, width, pool);
      const right = cellStart(cellColumn + 1, width, pool);
      sums.fill(0);
      for (let y = top; y < bottom; y++) {
        let source = base + (y * width + left) * channels;
        for (let x = left; x < right; x++)
          for (let c = 0; c < channels; c++) sums[c]! += activation[source++]!;
      }
      const area = (bottom - top) * (right - left);
      for (let c = 0; c < channels; c++) pooled[target++] = sums[c]! / area;
    }
  }
}

function poolChannelsFirst(
  activation: Float32Array,
  row: number,
  { height, width, channels }: ActivationShape,
  { pooled, pool }: PoolTarget,
): void {
  const plane = height * width;
  let target = row * pool * pool * channels;
  for (let cellRow = 0; cellRow < pool; cellRow++) {
    const top = cellStart(cellRow, height, pool);
    const bottom = cellStart(cellRow + 1, height, pool);
    for (let cellColumn = 0; cellColumn < pool; cellColumn++) {
      const left = cellStart(cellColumn, width, pool);
      const right = cellStart(cellColumn + 1, width, pool);
      const area = (bottom - top) * (right - left);
      for (let c = 0; c < channels; c++) {
        const base = (row * channels + c) * plane;
        let sum = 0;
        for (let y = top; y < bottom; y++)
          for (let x = left; x < right; x++) sum += activation[base + y * width + x]!;
        pooled[target++] = sum / area;
      }
    }
  }
}

/**
 * Derives a coarser pool from a finer one: fine cells nest in coarse ones, so each is their area-weighted mean.
 * Equals pooling the activation directly to 1e-6. `to` above `from.pool` throws InvariantError; equal copies.
 */
export function coarsenPooled(
  features: Float32Array,
  from: PooledShape,
  to: PoolSize,
): Float32Array {
  const { rows, channels, height, width, pool } = from;
  invariant(to <= pool, `pool ${to} cannot come from the coarser ${pool}`);
  invariant(
    features.length === rows * pool * pool * channels,
    `${features.length} features, shape says ${rows * pool * pool * channels}`,
  );
  const coarse = new Float32Array(rows * to * to * channels);
  const step = pool / to;
  const heights = shareOfCoarse(height, pool, to);
  const widths = shareOfCoarse(width, pool, to);
  for (let row = 0; row < rows; row++) {
    for (let cell = 0; cell < pool * pool; cell++) {
      const cellRow = Math.floor(cell / pool);
      const cellColumn = cell % pool;
      const weight = heights[cellRow]! * widths[cellColumn]!;
      const coarseCell = Math.floor(cellRow / step) * to + Math.floor(cellColumn / step);
      let source = (row * pool * pool + cell) * channels;
      let target = (row * to * to + coarseCell) * channels;
      for (let c = 0; c < channels; c++) coarse[target++]! += weight * features[source++]!;
    }
  }
  return coarse;
}

/** Length of each fine cell as a share of the coarse cell that holds it. */
function shareOfCoarse(size: number, pool: number, to: number): readonly number[] {
  const step = pool / to;
  return Array.from({ length: pool }, (_, cell) => {
    const length = cellStart(cell + 1, size, pool) - cellStart(cell, size, pool);
    const coarse = Math.floor(cell / step);
    return length / (cellStart(coarse + 1, size, to) - cellStart(coarse, size, to));
  });
}
