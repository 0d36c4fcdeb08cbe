import { encodeHalf } from '../../crds/wire/half-float.ts';
import { WIRE_LIMITS } from '../../crds/wire/limits.ts';
import { SAMPLED_COMPARISON_VALUES } from '../../crds/wire/previous-frame.ts';
import type { SampleBatch, SampleExit, SamplePart } from '../../crds/wire/samples.ts';
import type { Clock } from '../clock.ts';
import type { SampledExit, SampledRow } from '../engine/engine-client.ts';
import type { ModelDescription } from '../engine/segment-engine.ts';
import { taskOf } from '../engine/task-of.ts';

/** Rows kept for training: never inputs, only pooled features and what the backbone answered (exits.md 3). */
export interface SampleRecorder {
  /**
   * Returns how many rows were kept and how many skipped as not finite or of another layout.
   * @param onKept hears of each kept row and its number since boot
   */
  offer(
    exits: readonly SampledExit[],
    rows: readonly SampledRow[],
    onKept?: (row: SampledRow, sequence: number) => void,
  ): { kept: number; skipped: number };
  read(part: SamplePart, after: number, max: number): SampleBatch;
  counts(): { long: number; recent: number; seen: number };
  /** Rows that each of the two parts holds at most, by the size of the rows of now; 0 before the first. */
  capacityRows(): number;
  /** Exits were switched off: rows from before no longer describe the traffic. */
  restart(): void;
}

export interface SampleRecorderOptions {
  readonly podUid: string;
  readonly bootId: string;
  readonly model: ModelDescription;
  readonly memoryBytes: number;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

interface KeptRow {
  readonly sequence: number;
  readonly minute: number;
  readonly teacherClass: number;
  readonly topClasses: Uint32Array;
  readonly logProbabilities: Float32Array;
  readonly features: readonly Uint16Array[];
}

const ROWS_PER_HALF = WIRE_LIMITS.sampleRows / 2;
const ALL_CLASSES_UP_TO = 128;
const TOP_CLASSES = 64;
const ROW_OVERHEAD_BYTES = 64;
const MAX_ROWS_PER_READ = 4_000;
const MAX_BYTES_PER_READ = WIRE_LIMITS.sampleBatchBytes / 2;

export function createSampleRecorder(options: SampleRecorderOptions): SampleRecorder {
  const { model, clock } = options;
  const { classCount } = model;
  const { answerable } = taskOf(model);
  const topCount = classCount <= ALL_CLASSES_UP_TO ? classCount : TOP_CLASSES;
  const bootMs = clock.monotonicMs();
  let exits: readonly SampleExit[] = [];
  let layout = '';
  let rowBytes = 0;
  let capacity = 0;
  let sequence = 0;
  let seen = 0;
  let recent: KeptRow[] = [];
  let oldest = 0;
  let long: KeptRow[] = [];

  function restart(): void {
    seen = 0;
    recent = [];
    oldest = 0;
    long = [];
  }

  function changeLayout(sampled: readonly SampledExit[]): void {
    const key = JSON.stringify(sampled);
    if (key === layout) return;
    layout = key;
    exits = sampled.map((exit) => toSampleExit(exit, model));
    rowBytes = exits.reduce(
      (sum, exit) => sum + 2 * exit.featureCount,
      8 * topCount + ROW_OVERHEAD_BYTES,
    );
    capacity = Math.min(ROWS_PER_HALF, Math.floor(options.memoryBytes / 2 / rowBytes));
    restart();
  }

  function keep(row: KeptRow): void {
    if (capacity === 0) return;
    seen += 1;
    if (recent.length < capacity) recent.push(row);
    else {
      recent[oldest] = row;
      oldest = (oldest + 1) % capacity;
    }
    // Algorithm R (Vitter 1985): after `seen` rows each is in the reservoir with probability capacity / seen.
    if (long.length < capacity) long.push(row);
    else {
      const place = Math.floor(options.random() * seen);
      if (place < capacity) long[place] = row;
    }
  }

  function fits(row: SampledRow): boolean {
    return (
      row.features.length === exits.length &&
      row.logProbabilities.length === classCount &&
      row.features.every(
        (values, i) => values.length === exits[i]?.featureCount && isFinite(values),
      )
    );
  }

  return {
    offer: (sampled, rows, onKept) => {
      if (sampled.length === 0 || rows.length === 0) return { kept: 0, skipped: 0 };
      changeLayout(sampled);
      const minute = Math.floor((clock.monotonicMs() - bootMs) / 60_000);
      let kept = 0;
      for (const row of rows) {
        if (!fits(row)) continue;
        sequence += 1;
        kept += 1;
        onKept?.(row, sequence);
        const top = topClasses(row.logProbabilities, topCount);
        keep({
          sequence,
          minute,
          teacherClass: row.backboneClass,
          topClasses: topCount === classCount ? new Uint32Array(0) : top,
          logProbabilities: Float32Array.from(
            top,
            (classId) => row.logProbabilities[classId] ?? NaN,
          ),
          features: row.features.map(encodeHalf),
        });
      }
      return { kept, skipped: rows.length - kept };
    },
    read: (part, after, max) => {
      const limit = Math.min(
        max,
        MAX_ROWS_PER_READ,
        Math.max(1, Math.floor(MAX_BYTES_PER_READ / Math.max(1, rowBytes))),
      );
      const rows = (part === 'long' ? long : recent)
        .filter((row) => row.sequence > after)
        .sort((a, b) => a.sequence - b.sequence)
        .slice(0, limit);
      return {
        schemaVersion: 1,
        podUid: options.podUid,
        bootId: options.bootId,
        part,
        backboneDigest: model.digest,
        classCount,
        topCount,
        ...(answerable === null ? {} : { answerable }),
        exits,
        rowCount: rows.length,
        rowsSeen: seen,
        nextAfter: rows.at(-1)?.sequence ?? after,
        sequence: Float64Array.from(rows, (row) => row.sequence),
        minute: Uint32Array.from(rows, (row) => row.minute),
        teacherClass: Uint32Array.from(rows, (row) => row.teacherClass),
        teacherTopClasses: joinUint32(rows.map((row) => row.topClasses)),
        teacherLogProbabilities: joinFloat32(rows, topCount),
        features: exits.map((exit, e) => joinFeatures(rows, e, exit.featureCount)),
      };
    },
    counts: () => ({ long: long.length, recent: recent.length, seen }),
    capacityRows: () => capacity,
    restart,
  };
}

function toSampleExit(
  { name, tensor, modelDigest, compares }: SampledExit,
  { cuts, classCount }: ModelDescription,
): SampleExit {
  if (modelDigest !== undefined) {
    return { name, tensor: null, modelDigest, ...flatExtent(classCount) };
  }
  if (compares !== undefined) {
    const place = { name, tensor: tensor ?? null, modelDigest: null };
    return { ...place, ...flatExtent(SAMPLED_COMPARISON_VALUES), compares };
  }
  const cut = cuts.find((candidate) => candidate.tensor === tensor);
  const { pool, channels, height, width } = cut ?? {
    pool: 1 as const,
    channels: 0,
    height: 0,
    width: 0,
  };
  const featureCount = pool * pool * channels;
  return {
    ...{ name, tensor: tensor ?? null, modelDigest: null },
    ...{ pool, channels, height, width, featureCount },
  };
}

/** Of so many numbers that lie nowhere in a picture. */
function flatExtent(featureCount: number) {
  return { pool: 1, channels: featureCount, height: 1, width: 1, featureCount } as const;
}

function isFinite(values: Float32Array): boolean {
  for (const value of values) if (!Number.isFinite(value)) return false;
  return true;
}

/** Classes in class order when all are kept, else the most probable ones first. */
function topClasses(logProbabilities: Float32Array, topCount: number): Uint32Array {
  const classes = Uint32Array.from(logProbabilities, (_, classId) => classId);
  if (topCount === classes.length) return classes;
  return classes
    .sort((a, b) => (logProbabilities[b] ?? 0) - (logProbabilities[a] ?? 0) || a - b)
    .slice(0, topCount);
}

function joinUint32(parts: readonly Uint32Array[]): Uint32Array {
  const joined = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

function joinFloat32(rows: readonly KeptRow[], width: number): Float32Array {
  const joined = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    joined.set(row.logProbabilities, i * width);
  });
  return joined;
}

function joinFeatures(rows: readonly KeptRow[], exit: number, width: number): Uint16Array {
  const joined = new Uint16Array(rows.length * width);
  rows.forEach((row, i) => {
    const features = row.features[exit];
    if (features !== undefined) joined.set(features, i * width);
  });
  return joined;
}
