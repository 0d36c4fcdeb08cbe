import { encodeHalf } from '../../crds/wire/half-float.ts';
import type { InputBatch } from '../../crds/wire/inputs.ts';
import { WIRE_LIMITS } from '../../crds/wire/limits.ts';
import type { Clock } from '../clock.ts';

/**
 * Input rows for a student, where the pod was started to hold some: in memory alone, at most so many bytes, each for at most so long.
 * Rows are numbered as the sample recorder numbers them.
 */
export interface InputRecorder {
  offer(sequence: number, row: Float32Array): void;
  read(after: number, max: number): InputBatch;
  /** Forgets every row. */
  wipe(): void;
  /** Forgets rows that were held long enough; called often, for pods without traffic. */
  expire(): void;
  counts(): InputCounts;
}

export interface InputCounts {
  readonly rows: number;
  readonly maxRows: number;
  readonly retentionSeconds: number;
}

export interface InputRecorderOptions {
  readonly podUid: string;
  readonly bootId: string;
  readonly backboneDigest: string;
  /** Without the first axis. */
  readonly rowShape: readonly number[];
  readonly maxBytes: number;
  readonly retentionMs: number;
  readonly clock: Clock;
}

interface HeldRow {
  readonly sequence: number;
  readonly heldMs: number;
  readonly values: Uint16Array;
}

/** fp16, and what an entry takes besides. */
const BYTES_PER_VALUE = 2;
const ROW_OVERHEAD_BYTES = 128;
const MAX_BYTES_PER_READ = WIRE_LIMITS.sampleBatchBytes / 4;

export function createInputRecorder(options: InputRecorderOptions): InputRecorder {
  const { rowShape, clock, retentionMs, maxBytes } = options;
  const size = rowShape.reduce((product, extent) => product * extent, 1);
  const rowBytes = BYTES_PER_VALUE * size + ROW_OVERHEAD_BYTES;
  const maxRows = Math.min(WIRE_LIMITS.sampleRows, Math.floor(maxBytes / rowBytes));
  let held: HeldRow[] = [];
  /** Of the oldest row in `held`; those before it are forgotten already. */
  let from = 0;

  function dropFirst(count: number): void {
    for (let i = 0; i < count; i++) held[from + i] = GONE;
    from += count;
    // Entries before `from` hold nothing; the list is copied when most of it is that.
    if (from > held.length / 2) {
      held = held.slice(from);
      from = 0;
    }
  }

  function dropOld(): void {
    const sinceMs = clock.monotonicMs() - retentionMs;
    let old = 0;
    while (from + old < held.length && (held[from + old] ?? GONE).heldMs < sinceMs) old += 1;
    if (old > 0) dropFirst(old);
  }

  return {
    offer: (sequence, row) => {
      dropOld();
      if (maxRows === 0 || row.length !== size) return;
      if (held.length - from >= maxRows) dropFirst(1);
      held.push({ sequence, heldMs: clock.monotonicMs(), values: encodeHalf(row) });
    },
    read: (after, max) => {
      dropOld();
      const limit = Math.min(max, Math.max(1, Math.floor(MAX_BYTES_PER_READ / rowBytes)));
      const rows = held
        .slice(from)
        .filter(({ sequence }) => sequence > after)
        .slice(0, limit);
      const inputs = new Uint16Array(rows.length * size);
      for (const [i, { values }] of rows.entries()) inputs.set(values, i * size);
      const { podUid, bootId, backboneDigest } = options;
      return {
        schemaVersion: 1,
        ...{ podUid, bootId, backboneDigest, rowShape },
        rowCount: rows.length,
        nextAfter: rows.at(-1)?.sequence ?? after,
        sequence: Float64Array.from(rows, ({ sequence }) => sequence),
        inputs,
      };
    },
    wipe: () => {
      held = [];
      from = 0;
    },
    expire: dropOld,
    counts: () => {
      dropOld();
      return { rows: held.length - from, maxRows, retentionSeconds: retentionMs / 1000 };
    },
  };
}

const GONE: HeldRow = { sequence: 0, heldMs: 0, values: new Uint16Array(0) };
