import { createHash } from 'node:crypto';
import { createRandom } from '../../../server/core/random.ts';
import { CliError } from '../../errors.ts';
import type { TrafficSource } from './source.ts';

/** Rows that training never sees fewer of: max(2,000, 20 per class), exits.md 2. */
function minimumTrainingRows(classCount: number): number {
  return Math.max(2_000, 20 * classCount);
}

const TRAINING_ROWS = 10_000;

/** A row to send: index within its source. */
export interface PlannedRow {
  readonly source: TrafficSource;
  readonly index: number;
  readonly part: 'Training' | 'Serving';
  /** The row's bytes were sent before in this run (--loop). */
  readonly isRepeated: boolean;
}

/** Which rows train heads and which rows follow; disjoint, so that no trained row is ever evidence. */
export interface TrafficPlan {
  /** Next distinct row of the part that trains heads; null at its end. */
  readonly nextTraining: () => PlannedRow | null;
  /** Next row of all that follows; null at its end. */
  readonly nextServing: () => PlannedRow | null;
  /** Upper bounds: rows with equal bytes are dropped when they come up. */
  readonly trainingRows: number;
  readonly servingRows: number;
  readonly droppedDuplicates: number;
  readonly isLooping: boolean;
}

export interface TrafficPlanOptions {
  readonly traffic: TrafficSource;
  readonly headTraffic: TrafficSource | null;
  /** False: no heads will be trained, so every row follows. */
  readonly trains: boolean;
  readonly classCount: number;
  readonly seed: number;
  /** Rows of --traffic to use at most; null: all. */
  readonly requests: number | null;
  readonly loop: boolean;
}

/**
 * Shuffles by seed and cuts (operations.md 7): training = 10,000 rows or a fifth of the stream, never under max(2,000, 20
 * per class); with head traffic that is the training part and all of --traffic follows.
 */
export function planTraffic(options: TrafficPlanOptions): TrafficPlan {
  const { traffic, headTraffic, seed } = options;
  const limit = options.loop ? traffic.rowCount : (options.requests ?? traffic.rowCount);
  const order = shuffled(traffic.rowCount, seed).subarray(0, limit);
  const trainingRows =
    headTraffic === null && options.trains ? trainingShare(order.length, options) : 0;
  const training =
    headTraffic === null
      ? cursor(traffic, 'Training', order.subarray(0, trainingRows))
      : cursor(headTraffic, 'Training', shuffled(headTraffic.rowCount, seed + 1));
  const servingOrder = order.subarray(trainingRows);
  return assemble(training, cursor(traffic, 'Serving', servingOrder), options.loop);
}

function trainingShare(rows: number, options: TrafficPlanOptions): number {
  const minimum = minimumTrainingRows(options.classCount);
  const share = Math.max(Math.min(TRAINING_ROWS, Math.floor(rows / 5)), minimum);
  if (share >= rows) {
    throw new CliError('TooLittleTraffic', {
      where: options.traffic.name,
      why: `there are ${rows} rows, and training heads takes ${minimum} of them before any can be evidence.`,
    });
  }
  return share;
}

function shuffled(count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  createRandom(seed).shuffle(order);
  return order;
}

interface Cursor {
  readonly source: TrafficSource;
  readonly part: PlannedRow['part'];
  readonly order: Uint32Array;
  position: number;
}

function cursor(source: TrafficSource, part: PlannedRow['part'], order: Uint32Array): Cursor {
  return { source, part, order, position: 0 };
}

function assemble(training: Cursor, serving: Cursor, loop: boolean): TrafficPlan {
  const seen = new Set<string>();
  let dropped = 0;
  let looping = false;
  const nextDistinct = (from: Cursor): PlannedRow | null => {
    while (from.position < from.order.length) {
      const index = from.order[from.position++] ?? 0;
      const key = rowKey(from.source.readRow(index));
      if (!seen.has(key)) {
        seen.add(key);
        return { source: from.source, index, part: from.part, isRepeated: false };
      }
      dropped += 1;
    }
    return null;
  };
  const nextRepeated = (): PlannedRow | null => {
    if (serving.order.length === 0) return null;
    looping = true;
    if (serving.position >= serving.order.length) serving.position = 0;
    const index = serving.order[serving.position++] ?? 0;
    return { source: serving.source, index, part: 'Serving', isRepeated: true };
  };
  return {
    nextTraining: () => nextDistinct(training),
    nextServing: () => (looping ? null : nextDistinct(serving)) ?? (loop ? nextRepeated() : null),
    trainingRows: training.order.length,
    servingRows: serving.order.length,
    get droppedDuplicates() {
      return dropped;
    },
    get isLooping() {
      return looping;
    },
  };
}

/** 16 bytes of SHA-256: equal keys are equal rows for any stream that fits on a disk. */
function rowKey(row: Buffer): string {
  return createHash('sha256').update(row).digest('binary').slice(0, 16);
}
