import { z } from 'zod';

import { decodeArray, DTYPE_BYTES, elementCount, encodeArray, type Dtype } from './array-codec.ts';
import { readBinaryFile, writeBinaryFile, type BinaryKind } from './binary-file.ts';
import { isFiniteHalf } from './half-float.ts';
import type { PoolSize } from './head-bundle.ts';
import { canonicalJson, checkShape, refuse } from './json.ts';
import { WIRE_LIMITS } from './limits.ts';
import type { Result } from './result.ts';
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
  })
  .refine((e) => (e.tensor === null) !== (e.modelDigest === null), {
    message: 'set exactly one of tensor, modelDigest',
  })
  .refine((e) => e.tensor === null || e.featureCount === e.pool * e.pool * e.channels, {
    path: ['featureCount'],
    message: 'must be pool * pool * channels',
  });

const headerSchema = z
  .strictObject({
    schemaVersion: shapes.schemaVersion,
    podUid: shapes.token,
    bootId: shapes.token,
    part: z.enum(['long', 'recent']),
    backboneDigest: shapes.digest,
    classCount: shapes.ordinal.min(2).max(WIRE_LIMITS.classes),
    topCount: shapes.ordinal,
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

/** Arrays in the order in which they lie in the file, as [dtype, elements per row]. */
function columnsOf(header: Header): readonly (readonly [Dtype, number])[] {
  const namesClasses = header.topCount < header.classCount;
  return [
    ['float64', 1],
    ['uint32', 1],
    ['uint32', 1],
    ['uint32', namesClasses ? header.topCount : 0],
    ['float32', header.topCount],
    ...header.exits.map((e) => ['float16', e.featureCount] as const),
  ];
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

/** Cuts the blob into the arrays of the header, or null when the sizes do not add up exactly. */
function cutBlob(header: Header, blob: Uint8Array): readonly Uint8Array[] | null {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [dtype, perRow] of columnsOf(header)) {
    const empty = header.rowCount === 0 || perRow === 0;
    const count = empty ? 0 : elementCount([header.rowCount, perRow]);
    const end = count === null ? NaN : at + count * DTYPE_BYTES[dtype];
    if (!(end <= blob.length)) return null;
    parts.push(blob.subarray(at, end));
    at = end;
  }
  return at === blob.length ? parts : null;
}

function isAscending(sequence: Float64Array): boolean {
  return sequence.every(
    (seq, i) => Number.isSafeInteger(seq) && seq > (i === 0 ? 0 : Number(sequence[i - 1])),
  );
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
  const arrays = cutBlob(header.value, parts.value.blob);
  if (arrays === null) {
    const what = `its arrays do not take exactly the ${parts.value.blob.length} bytes of the blob`;
    return refuse(kind, 'Invalid', what);
  }
  const none = new Uint8Array(0);
  const [sequence = none, minute = none, teacherClass = none, topClasses = none, logs = none] =
    arrays;
  const batch: SampleBatch = {
    ...header.value,
    sequence: decodeArray('float64', sequence),
    minute: decodeArray('uint32', minute),
    teacherClass: decodeArray('uint32', teacherClass),
    teacherTopClasses: decodeArray('uint32', topClasses),
    teacherLogProbabilities: decodeArray('float32', logs),
    features: arrays.slice(5).map((part) => decodeArray('float16', part)),
  };
  const problem = findRowProblem(batch);
  return problem === null ? { ok: true, value: batch } : refuse(kind, 'Invalid', problem);
}
