import { createHash } from 'node:crypto';
import { createRandom } from '../../../server/core/random.ts';
import { CliError } from '../../errors.ts';
import { clipOf, interleaveClips } from './clips.ts';
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
  /** The drift of a drill has begun: the row was distorted, or a class is among the rows that was not before. */
  readonly isDrifted: boolean;
  /** The clip that it is a frame of, where the stream keeps their order. */
  readonly clip: string | null;
}

/** How rows change from one request of the stream on (--drift). */
export interface PlannedDrift {
  readonly fromRequest: number;
  /** The source whose rows are sent in place of these; `pass` counts repetitions of the stream. */
  distort(source: TrafficSource, pass: number): TrafficSource;
  /** Rows that do not come before, and the share that they take then as long as there are any; null: all come. */
  readonly heldBack: {
    has(source: TrafficSource, index: number): boolean;
    readonly share: number;
  } | null;
  /** Called as the first drifted row is taken. */
  readonly onBegin: () => void;
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
  /** Rows that a drift held back to the end. */
  readonly skippedRows: number;
  /** The first repeated row, counted from 1 in the order they are sent; null: none was. */
  readonly repeatsFrom: number | null;
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
  readonly drift: PlannedDrift | null;
  /** Rows are frames: those of a clip come in their order, clips side by side. */
  readonly keepsOrder: boolean;
}

/**
 * Shuffles by seed, or takes frames as they come, and cuts (operations.md 7): training = 10,000 rows or a fifth of the stream, never under max(2,000, 20
 * per class); with head traffic that is the training part and all of --traffic follows.
 */
export function planTraffic(options: TrafficPlanOptions): TrafficPlan {
  const { traffic, headTraffic, seed } = options;
  const limit = options.loop ? traffic.rowCount : (options.requests ?? traffic.rowCount);
  const orderOf = options.keepsOrder ? interleaveClips : shuffled;
  const order = orderOf(traffic, seed).subarray(0, limit);
  const trainingRows =
    headTraffic === null && options.trains ? trainingShare(order.length, options) : 0;
  const training =
    headTraffic === null
      ? cursor(traffic, 'Training', order.subarray(0, trainingRows))
      : cursor(headTraffic, 'Training', orderOf(headTraffic, seed + 1));
  const servingOrder = order.subarray(trainingRows);
  return assemble(training, cursor(traffic, 'Serving', servingOrder), options);
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

function shuffled({ rowCount }: TrafficSource, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: rowCount }, (_, i) => i);
  createRandom(seed).shuffle(order);
  return order;
}

interface Cursor {
  readonly source: TrafficSource;
  readonly part: PlannedRow['part'];
  readonly order: Uint32Array;
  position: number;
  /** How often the order was begun before. */
  pass: number;
  /** Rows of the order that were passed over, as one of the other kind was due. */
  readonly waiting: { held: number[]; plain: number[] };
}

function cursor(source: TrafficSource, part: PlannedRow['part'], order: Uint32Array): Cursor {
  return { source, part, order, position: 0, pass: 0, waiting: { held: [], plain: [] } };
}

function assemble(
  training: Cursor,
  serving: Cursor,
  { loop, drift, keepsOrder }: Pick<TrafficPlanOptions, 'loop' | 'drift' | 'keepsOrder'>,
): TrafficPlan {
  const seen = new Set<string>();
  const count = { taken: 0, dropped: 0, drifted: 0, held: 0 };
  const heldBack = drift?.heldBack ?? null;
  let repeatsFrom: number | null = null;
  let hasBegun = false;

  /** The drift, once the next row is one of its rows. */
  const driftNow = (): PlannedDrift | null => {
    if (drift === null || count.taken + 1 < drift.fromRequest) return null;
    if (!hasBegun) drift.onBegin();
    hasBegun = true;
    return drift;
  };

  const rowAt = (from: Cursor, index: number, now: PlannedDrift | null): PlannedRow => ({
    source: now === null ? from.source : now.distort(from.source, from.pass),
    index,
    part: from.part,
    isRepeated: repeatsFrom !== null,
    isDrifted: now !== null,
    clip: keepsOrder ? clipOf(from.source, index) : null,
  });

  /** The next index of the order; with rows held back, of the kind that is due, or of the other where there is none left. */
  const nextIndex = (from: Cursor, hasBegun: boolean): number | null => {
    if (heldBack === null) return from.order[from.position++] ?? null;
    if (!hasBegun) return draw(from, heldBack, false);
    const isDue = count.held < heldBack.share * (count.drifted + 1);
    return draw(from, heldBack, isDue) ?? draw(from, heldBack, !isDue);
  };

  /** The next row of the cursor that may come: a new one, or any once the stream repeats. */
  const advance = (from: Cursor, now: PlannedDrift | null): PlannedRow | null => {
    for (;;) {
      const index = nextIndex(from, now !== null);
      if (index === null) return null;
      const row = rowAt(from, index, now);
      if (repeatsFrom !== null) return row;
      const key = rowKey(row.source.readRow(index));
      if (!seen.has(key)) {
        seen.add(key);
        return row;
      }
      if (from.pass === 0) count.dropped += 1;
    }
  };

  const again = (from: Cursor, now: PlannedDrift | null): PlannedRow | null => {
    from.position = 0;
    from.pass += 1;
    Object.assign(from.waiting, { held: [], plain: [] });
    return advance(from, now);
  };

  /** Distorted anew, rows that were sent before are new rows; only when none is does the stream repeat. */
  const nextLooped = (now: PlannedDrift | null): PlannedRow | null => {
    const fresh = now === null || repeatsFrom !== null ? null : again(serving, now);
    if (fresh !== null) return fresh;
    repeatsFrom ??= count.taken + 1;
    return again(serving, now);
  };

  const take = (next: (now: PlannedDrift | null) => PlannedRow | null): PlannedRow | null => {
    const row = next(driftNow());
    if (row === null) return null;
    count.taken += 1;
    if (row.isDrifted) {
      count.drifted += 1;
      if (heldBack?.has(row.source, row.index) === true) count.held += 1;
    }
    return row;
  };

  return {
    nextTraining: () => take((now) => advance(training, now)),
    nextServing: () =>
      take(
        (now) =>
          advance(serving, now) ?? (loop && serving.order.length > 0 ? nextLooped(now) : null),
      ),
    trainingRows: training.order.length,
    servingRows: serving.order.length,
    get droppedDuplicates() {
      return count.dropped;
    },
    get skippedRows() {
      return training.waiting.held.length + serving.waiting.held.length;
    },
    get repeatsFrom() {
      return repeatsFrom;
    },
  };
}

/** The next index of one kind; rows of the other kind that lie before it wait. */
function draw(
  from: Cursor,
  heldBack: NonNullable<PlannedDrift['heldBack']>,
  wantsHeld: boolean,
): number | null {
  const { held, plain } = from.waiting;
  const waiting = (wantsHeld ? held : plain).shift();
  if (waiting !== undefined) return waiting;
  while (from.position < from.order.length) {
    const index = from.order[from.position++] ?? 0;
    if (heldBack.has(from.source, index) === wantsHeld) return index;
    (wantsHeld ? plain : held).push(index);
  }
  return null;
}

/** 16 bytes of SHA-256: equal keys are equal rows for any stream that fits on a disk. */
function rowKey(row: Buffer): string {
  return createHash('sha256').update(row).digest('binary').slice(0, 16);
}
