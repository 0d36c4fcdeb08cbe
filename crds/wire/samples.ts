import { z } from 'zod';

import {
  decodeArray,
  DTYPE_BYTES,
  encodeArray,
  type Dtype,
  type DtypeArrays,
} from './array-codec.ts';
import { readBinaryFile, writeBinaryFile, type BinaryKind } from './binary-file.ts';
import { isFiniteHalf } from './half-float.ts';
import type { PoolSize } from './head-bundle.ts';
import { canonicalJson, checkShape, refuse } from './json.ts';
import { WIRE_LIMITS } from './limits.ts';
import { compares, SAMPLED_COMPARISON_VALUES, type Compared } from './previous-frame.ts';
import type { Result } from './result.ts';
import { isAscending } from './row-order.ts';
import * as shapes from './shapes.ts';

export type SamplePart = 'long' | 'recent';

/** An exit of a sample batch. Features are pooled to the finest recorded pool; the trainer derives coarser ones. */
export interface SampleExit {
  readonly name: string;
  readonly tensor: string | null;
  readonly modelDigest: string | null;
  readonly pool: PoolSize;
  readonly channels: number;
  /** Extent of the activation, needed to derive coarser pools by area; 1 x 1 for vectors. */
  readonly height: number;
  readonly width: number;
  /** pool * pool * channels; a companion: classCount log-probabilities. */
  readonly featureCount: number;
  /** Its features are a comparison with an earlier frame, and what the answer of that one would have lost. */
  readonly compares?: Compared;
}

/** Pooled features and backbone answers of audited rows (exits.md 3). Never inputs. Arrays have one entry (or block) per row. */
export interface SampleBatch {
  readonly schemaVersion: 1;
  readonly podUid: string;
  readonly bootId: string;
  readonly part: SamplePart;
  readonly backboneDigest: string;
  readonly classCount: number;
  /** classCount when <= 128, else 64. */
  readonly topCount: number;
  /** Classes that an exit may answer, ascending; absent: all of them. Trainers of the version before do not know the field. */
  readonly answerable?: readonly number[];
  readonly exits: readonly SampleExit[];
  readonly rowCount: number;
  /** Rows offered to the recorder since boot or the last reset; the batch stands for this many. */
  readonly rowsSeen: number;
  /** Ask again with after = nextAfter; equal to the last sequence in the batch, or the given `after` when empty. */
  readonly nextAfter: number;
  /** Row number since boot (1-based), ascending within a batch. */
  readonly sequence: Float64Array;
  /** Minute since boot in which the row was answered. */
  readonly minute: Uint32Array;
  /** y*, the backbone's class. */
  readonly teacherClass: Uint32Array;
  /** [rows, topCount] classes of the log-probabilities; empty when topCount = classCount (then in class order). */
  readonly teacherTopClasses: Uint32Array;
  /** [rows, topCount] natural-log probabilities of the backbone. */
  readonly teacherLogProbabilities: Float32Array;
  /** Per exit: fp16 bits [rows, featureCount]. */
  readonly features: readonly Uint16Array[];
}

const kind: BinaryKind = {
  name: 'sample batch',
  magic: 'LCSB',
  maxBytes: WIRE_LIMITS.sampleBatchBytes,
  maxHeaderBytes: WIRE_LIMITS.sampleHeaderBytes,
  nextStep: 'its rows are not used, ask the server again',
};

/** Log-probabilities of single-precision softmaxes may exceed 0 by rounding. */
const LOG_PROBABILITY_SLACK = 1e-3;

const exit = z
  .strictObject({
    name: shapes.exitName,
    tensor: shapes.tensorName.nullable(),
    modelDigest: shapes.digest.nullable(),
    pool: z.literal([1, 2, 4]),
    channels: shapes.ordinal.max(WIRE_LIMITS.features),
    height: shapes.ordinal.max(WIRE_LIMITS.features),
    width: shapes.ordinal.max(WIRE_LIMITS.features),
    featureCount: shapes.ordinal.max(WIRE_LIMITS.features),
    compares,
  })
  .refine((e) => (e.tensor === null) !== (e.modelDigest === null), {
    message: 'set exactly one of tensor, modelDigest',
  })
  .refine((e) => e.tensor === null || e.featureCount === e.pool * e.pool * e.channels, {
    path: ['featureCount'],
    message: 'must be pool * pool * channels',
  })
  .refine(
    (e) =>
      e.compares === undefined ||
      (e.tensor !== null && e.featureCount === SAMPLED_COMPARISON_VALUES),
    { path: ['compares'], message: 'a comparison has a tensor and its own count of values' },
  );

const headerSchema = z
  .strictObject({
    schemaVersion: shapes.schemaVersion,
    podUid: shapes.token,
    bootId: shapes.token,
    part: z.enum(['long', 'recent']),
    backboneDigest: shapes.digest,
    classCount: shapes.ordinal.min(2).max(WIRE_LIMITS.classes),
    topCount: shapes.ordinal,
    answerable: z.exactOptional(z.array(shapes.counter).min(1).max(WIRE_LIMITS.classes)),
    exits: z.array(exit).max(WIRE_LIMITS.exits),
    rowCount: shapes.counter.max(WIRE_LIMITS.sampleRows),
    rowsSeen: shapes.counter,
    nextAfter: shapes.counter,
  })
  .refine((h) => shapes.areUnique(h.exits.map((e) => e.name)), {
    path: ['exits'],
    message: 'two exits have the same name',
  })
  .refine((h) => h.topCount === topCountOf(h.classCount), {
    path: ['topCount'],
    message: 'must be classCount up to 128 classes, else 64',
  })
  .refine((h) => h.answerable?.every((c) => c < h.classCount) ?? true, {
    path: ['answerable'],
    message: 'names a class beyond classCount',
  })
  .refine((h) => h.exits.every((e) => e.tensor !== null || e.featureCount === h.classCount), {
    path: ['exits'],
    message: 'a companion has featureCount = classCount',
  })
  .refine((h) => h.rowsSeen >= h.rowCount, {
    path: ['rowsSeen'],
    message: 'must not be below rowCount',
  });

type Header = z.infer<typeof headerSchema>;

/** Classes whose log-probability is kept: all up to 128, else the 64 most probable (exits.md 3). */
export function topCountOf(classCount: number): number {
  return classCount <= 128 ? classCount : 64;
}

/** Batch -> file. The caller keeps within `WIRE_LIMITS`: ask the recorder for fewer rows when it would be larger. */
export function encodeSampleBatch(batch: SampleBatch): Uint8Array {
  const {
    sequence,
    minute,
    teacherClass,
    teacherTopClasses,
    teacherLogProbabilities,
    features,
    ...header
  } = batch;
  return writeBinaryFile(kind.magic, canonicalJson(header), [
    encodeArray('float64', sequence),
    encodeArray('uint32', minute),
    encodeArray('uint32', teacherClass),
    encodeArray('uint32', teacherTopClasses),
    encodeArray('float32', teacherLogProbabilities),
    ...features.map((values) => encodeArray('float16', values)),
  ]);
}

/** Takes arrays off the blob in the order of the file; past its end they are empty, and `isDone` stays false. */
function createBlobReader(blob: Uint8Array): {
  take<D extends Dtype>(dtype: D, count: number): DtypeArrays[D];
  isDone(): boolean;
} {
  let at = 0;
  return {
    take(dtype, count) {
      const start = at;
      at += count * DTYPE_BYTES[dtype];
      return decodeArray(dtype, blob.subarray(start, at <= blob.length ? at : start));
    },
    isDone: () => at === blob.length,
  };
}

/** Header and blob -> batch, or null when the arrays do not take exactly the blob. The caps of the header keep products exact. */
function readArrays(header: Header, blob: Uint8Array): SampleBatch | null {
  const reader = createBlobReader(blob);
  const { rowCount, topCount, classCount } = header;
  const batch: SampleBatch = {
    ...header,
    sequence: reader.take('float64', rowCount),
    minute: reader.take('uint32', rowCount),
    teacherClass: reader.take('uint32', rowCount),
    teacherTopClasses: reader.take('uint32', topCount < classCount ? rowCount * topCount : 0),
    teacherLogProbabilities: reader.take('float32', rowCount * topCount),
    features: header.exits.map((e) => reader.take('float16', rowCount * e.featureCount)),
  };
  return reader.isDone() ? batch : null;
}

function findRowProblem(batch: SampleBatch): string | null {
  const isClass = (c: number): boolean => c < batch.classCount;
  const last = batch.sequence.at(-1);
  if (!isAscending(batch.sequence)) return 'sequence does not ascend from 1 in whole numbers';
  if (last !== undefined && last !== batch.nextAfter) return 'nextAfter is not the last sequence';
  if (!batch.teacherClass.every(isClass)) return 'teacherClass names a class beyond classCount';
  if (!batch.teacherTopClasses.every(isClass))
    return 'teacherTopClasses names a class beyond classCount';
  if (
    !batch.teacherLogProbabilities.every((p) => Number.isFinite(p) && p <= LOG_PROBABILITY_SLACK)
  ) {
    return 'a log-probability is not finite or above 0';
  }
  const broken = batch.features.findIndex((bits) => !bits.every(isFiniteHalf));
  return broken < 0 ? null : `features of exit ${broken} are not finite`;
}

/**
 * File -> batch. Refuses what is too large, changed in any bit, has arrays that do not have the size of their header,
 * classes beyond the count, rows out of order, or numbers that are not finite. Arrays are copies.
 */
export function parseSampleBatch(bytes: Uint8Array): Result<SampleBatch> {
  const parts = readBinaryFile(bytes, kind);
  if (!parts.ok) return parts;
  const header = checkShape(parts.value.header, headerSchema, kind);
  if (!header.ok) return header;
  const { blob } = parts.value;
  const batch = readArrays(header.value, blob);
  if (batch === null) {
    return refuse(
      kind,
      'Invalid',
      `its arrays do not take exactly the ${blob.length} bytes of the blob`,
    );
  }
  const problem = findRowProblem(batch);
  return problem === null ? { ok: true, value: batch } : refuse(kind, 'Invalid', problem);
}
