import { decodeArray, encodeArray, type DtypeArrays } from './array-codec.ts';
import { readBinaryFile, writeBinaryFile, type BinaryKind } from './binary-file.ts';
import { fromHalf, isFiniteHalf } from './half-float.ts';
import {
  findManifestProblem,
  manifestSchema,
  type ArrayRef,
  type HeadEntry,
  type Manifest,
  type MatrixRef,
  type StudentEntry,
} from './head-manifest.ts';
import { canonicalJson, checkShape, refuse } from './json.ts';
import { WIRE_LIMITS } from './limits.ts';
import type { Compared } from './previous-frame.ts';
import type { Result } from './result.ts';
import type { BundleStudent } from './student.ts';

export type PoolSize = 1 | 2 | 4;
export type HiddenSize = 0 | 64 | 128 | 256 | 1024;

/** Weights as stored: int8 with one fp32 scale per output column, or fp16 bits. Row-major [rows = inputs][columns = outputs]. */
export type BundleMatrix =
  | {
      readonly type: 'int8';
      readonly rows: number;
      readonly columns: number;
      readonly values: Int8Array;
      readonly scales: Float32Array;
    }
  | {
      readonly type: 'float16';
      readonly rows: number;
      readonly columns: number;
      readonly values: Uint16Array;
    };

export type ScoreFeature = 'logitMax' | 'margin' | 'entropy';

/** q = sigmoid(intercept + sum weights[i] * (x[i] - mean[i]) / scale[i]) over the listed features (exits.md 4.4). */
export interface ScoreCoefficients {
  readonly features: readonly ScoreFeature[];
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly weights: readonly number[];
  readonly intercept: number;
}

/** Expected answers on 16 seeded synthetic rows (see server/core/known-answer.ts): class and logit of q, the latter to 1e-3. */
export interface BundleKnownAnswers {
  readonly seed: number;
  readonly classes: readonly number[];
  readonly scoreLogits: readonly number[];
}

export interface BundleHead {
  readonly exit: string;
  /** Exactly one of tensor, modelDigest is not null; a companion has no weights (featureCount = classCount, w1 = null). */
  readonly tensor: string | null;
  readonly modelDigest: string | null;
  readonly pool: PoolSize;
  readonly hidden: HiddenSize;
  /** pool * pool * channels; of a comparison of frames, its values. */
  readonly featureCount: number;
  /** Standardisation x = clip((f - mean) / scale, +-8). */
  readonly mean: Float32Array;
  readonly scale: Float32Array;
  /** [featureCount, hidden or classCount]; b1 alike. */
  readonly w1: BundleMatrix | null;
  readonly b1: Float32Array | null;
  /** [hidden, classCount], null when hidden is 0. */
  readonly w2: BundleMatrix | null;
  readonly b2: Float32Array | null;
  /** A companion that the trainer made: servers build it of these weights, and it has `modelDigest`. */
  readonly student?: BundleStudent;
  /** It reads a comparison with an earlier frame of the row's source at `tensor`; of its classes, 0 is "as there". */
  readonly compares?: Compared;
  readonly score: ScoreCoefficients;
  /** T_e: reported class scores are softmax(z / temperature). Decides nothing. */
  readonly temperature: number;
  readonly knownAnswers: BundleKnownAnswers;
}

/** Where a bundle comes from (exits.md 4.7); numbers for people and status, never for decisions of a server. */
export interface HeadProvenance {
  readonly trainerVersion: string;
  readonly seed: number;
  readonly sampleDigest: string;
  readonly costDigest: string;
  readonly trainingRows: number;
  readonly validationRows: number;
  readonly validationDisagreements: number;
  readonly samplesUntil: readonly {
    readonly podUid: string;
    readonly bootId: string;
    readonly seq: number;
  }[];
  readonly exits: readonly {
    readonly exit: string;
    readonly auroc: number;
    readonly agreement: number;
    readonly coverage: number;
  }[];
  readonly parent: string | null;
}

/** All heads of one revision, exits in backbone order (companions first). The file's sha256 is the head revision. */
export interface HeadBundle {
  readonly schemaVersion: 1;
  readonly backboneDigest: string;
  readonly classCount: number;
  readonly heads: readonly BundleHead[];
  readonly training: HeadProvenance;
}

const kind: BinaryKind = {
  name: 'head bundle',
  magic: 'LCHB',
  maxBytes: WIRE_LIMITS.headBundleBytes,
  maxHeaderBytes: WIRE_LIMITS.headManifestBytes,
  nextStep: 'the heads in force stay, make the bundle again with a current trainer',
};

/** Lays arrays end to end and says where each one lies. */
interface BlobWriter {
  readonly blobs: Uint8Array[];
  place<D extends ArrayRef['dtype']>(dtype: D, shape: number[], values: DtypeArrays[D]): ArrayRef;
}

function createBlobWriter(): BlobWriter {
  const blobs: Uint8Array[] = [];
  let offset = 0;
  return {
    blobs,
    place(dtype, shape, values) {
      const bytes = encodeArray(dtype, values);
      const ref = { dtype, shape, offset, bytes: bytes.length };
      blobs.push(bytes);
      offset += bytes.length;
      return ref;
    },
  };
}

function placeVector(writer: BlobWriter, values: Float32Array | null): ArrayRef | null {
  if (values === null || values.length === 0) return null;
  return writer.place('float32', [values.length], values);
}

function placeMatrix(writer: BlobWriter, matrix: BundleMatrix): MatrixRef {
  const shape = [matrix.rows, matrix.columns];
  if (matrix.type === 'float16') {
    return { values: writer.place('float16', shape, matrix.values), scales: null };
  }
  return {
    values: writer.place('int8', shape, matrix.values),
    scales: writer.place('float32', [matrix.scales.length], matrix.scales),
  };
}

function placeStudent(writer: BlobWriter, student: BundleStudent): StudentEntry {
  const { input, convolutions, dense, denseBias } = student;
  return {
    input: { ...input, mean: [...input.mean], scale: [...input.scale] },
    convolutions: convolutions.map(({ stride, weights, bias }) => ({
      stride,
      weights: placeMatrix(writer, weights),
      bias: writer.place('float32', [bias.length], bias),
    })),
    dense: placeMatrix(writer, dense),
    denseBias: writer.place('float32', [denseBias.length], denseBias),
  };
}

/** Bundle -> file. Deterministic: equal bundles give equal bytes, hence one sha256. */
export function encodeHeadBundle(bundle: HeadBundle): Uint8Array {
  const writer = createBlobWriter();
  const heads = bundle.heads.map((head) => ({
    ...head,
    mean: placeVector(writer, head.mean),
    scale: placeVector(writer, head.scale),
    w1: head.w1 && placeMatrix(writer, head.w1),
    b1: placeVector(writer, head.b1),
    w2: head.w2 && placeMatrix(writer, head.w2),
    b2: placeVector(writer, head.b2),
    ...(head.student === undefined ? {} : { student: placeStudent(writer, head.student) }),
  }));
  return writeBinaryFile(kind.magic, canonicalJson({ ...bundle, heads }), writer.blobs);
}

function bytesOf(blob: Uint8Array, ref: ArrayRef): Uint8Array {
  return blob.subarray(ref.offset, ref.offset + ref.bytes);
}

function readVector(blob: Uint8Array, ref: ArrayRef): Float32Array {
  return decodeArray('float32', bytesOf(blob, ref));
}

function readMatrix(blob: Uint8Array, { values, scales }: MatrixRef): BundleMatrix {
  const [rows = 0, columns = 0] = values.shape;
  if (scales === null) {
    return {
      type: 'float16',
      rows,
      columns,
      values: decodeArray('float16', bytesOf(blob, values)),
    };
  }
  return {
    type: 'int8',
    rows,
    columns,
    values: decodeArray('int8', bytesOf(blob, values)),
    scales: decodeArray('float32', bytesOf(blob, scales)),
  };
}

function readStudent(blob: Uint8Array, entry: StudentEntry): BundleStudent {
  const { input, convolutions, dense, denseBias } = entry;
  return {
    input,
    convolutions: convolutions.map(({ stride, weights, bias }) => ({
      stride,
      weights: readMatrix(blob, weights),
      bias: readVector(blob, bias),
    })),
    dense: readMatrix(blob, dense),
    denseBias: readVector(blob, denseBias),
  };
}

function readHead(blob: Uint8Array, { student, ...entry }: HeadEntry): BundleHead {
  return {
    ...entry,
    ...(student === undefined ? {} : { student: readStudent(blob, student) }),
    mean: entry.mean === null ? new Float32Array(0) : readVector(blob, entry.mean),
    scale: entry.scale === null ? new Float32Array(0) : readVector(blob, entry.scale),
    w1: entry.w1 && readMatrix(blob, entry.w1),
    b1: entry.b1 && readVector(blob, entry.b1),
    w2: entry.w2 && readMatrix(blob, entry.w2),
    b2: entry.b2 && readVector(blob, entry.b2),
  };
}

function isFiniteMatrix(matrix: BundleMatrix | null): boolean {
  if (matrix === null) return true;
  if (matrix.type === 'float16') return matrix.values.every(isFiniteHalf);
  return matrix.scales.every((scale) => Number.isFinite(scale) && scale >= 0);
}

function studentArrays({ student }: BundleHead): {
  readonly matrices: readonly BundleMatrix[];
  readonly biases: readonly Float32Array[];
} {
  if (student === undefined) return { matrices: [], biases: [] };
  const { convolutions, dense, denseBias } = student;
  return {
    matrices: [...convolutions.map(({ weights }) => weights), dense],
    biases: [...convolutions.map(({ bias }) => bias), denseBias],
  };
}

function findNumberProblem(head: BundleHead): string | null {
  const { matrices, biases } = studentArrays(head);
  const vectors = [head.mean, head.b1, head.b2, ...biases].filter((vector) => vector !== null);
  if (vectors.some((vector) => !vector.every(Number.isFinite))) return 'mean or bias is not finite';
  if (!head.scale.every((x) => Number.isFinite(x) && x > 0))
    return 'scale is not finite and above 0';
  if (![head.w1, head.w2, ...matrices].every(isFiniteMatrix))
    return 'a weight or its scale is not finite';
  return null;
}

function readHeads(manifest: Manifest, blob: Uint8Array): Result<readonly BundleHead[]> {
  const heads: BundleHead[] = [];
  for (const entry of manifest.heads) {
    const head = readHead(blob, entry);
    const problem = findNumberProblem(head);
    if (problem !== null) return refuse(kind, 'Invalid', `head "${entry.exit}": ${problem}`);
    heads.push(head);
  }
  return { ok: true, value: heads };
}

/**
 * File -> bundle. Refuses a file that is too large, cut, changed in any bit, whose arrays overlap, leave holes or do not
 * have the size of their shape, that has weights or scales that are not finite, or fields this program does not know.
 * The caller compares the sha256 with the head revision first, and the backbone's digest and class count after.
 * Arrays are copies: the bytes may be reused.
 */
export function parseHeadBundle(bytes: Uint8Array): Result<HeadBundle> {
  const parts = readBinaryFile(bytes, kind);
  if (!parts.ok) return parts;
  const manifest = checkShape(parts.value.header, manifestSchema, kind);
  if (!manifest.ok) return manifest;
  const problem = findManifestProblem(manifest.value, parts.value.blob.length);
  if (problem !== null) return refuse(kind, 'Invalid', problem);
  const heads = readHeads(manifest.value, parts.value.blob);
  return heads.ok ? { ok: true, value: { ...manifest.value, heads: heads.value } } : heads;
}

/** Weights as numbers, row-major [rows][columns]: int8 times the scale of its column, or the half float's value. */
export function dequantize(matrix: BundleMatrix): Float32Array {
  const weights = new Float32Array(matrix.rows * matrix.columns);
  if (matrix.type === 'float16') {
    for (let i = 0; i < weights.length; i++) weights[i] = fromHalf(Number(matrix.values[i]));
    return weights;
  }
  for (let i = 0; i < weights.length; i++) {
    weights[i] = Number(matrix.values[i]) * Number(matrix.scales[i % matrix.columns]);
  }
  return weights;
}
