import { z } from 'zod';

import { DTYPE_BYTES, elementCount } from './array-codec.ts';
import { WIRE_LIMITS } from './limits.ts';
import * as shapes from './shapes.ts';
import { COMPARISON_VALUES, compares } from './previous-frame.ts';
import { STUDENT_EXIT } from './student.ts';

/** The JSON part of a head bundle: everything but the numbers, which lie in the blob at the offsets named here. */

/** Known-answer rows of a bundle. */
export const KNOWN_ANSWERS = 16;

const arrayRef = z.strictObject({
  dtype: z.enum(['int8', 'float16', 'float32']),
  shape: z.array(shapes.ordinal).min(1).max(2),
  offset: shapes.counter,
  bytes: shapes.ordinal,
});

const matrixRef = z.strictObject({ values: arrayRef, scales: arrayRef.nullable() });

const score = z
  .strictObject({
    features: z
      .array(z.enum(['logitMax', 'margin', 'entropy']))
      .min(1)
      .max(3)
      .refine(shapes.areUnique, 'a feature stands twice'),
    mean: z.array(shapes.finite).max(3),
    scale: z.array(z.number().gt(0)).max(3),
    weights: z.array(shapes.finite).max(3),
    intercept: shapes.finite,
  })
  .refine(
    (s) => [s.mean, s.scale, s.weights].every((list) => list.length === s.features.length),
    'mean, scale and weights need one number per feature',
  );

const knownAnswers = z.strictObject({
  seed: shapes.counter,
  classes: z.array(shapes.counter).length(KNOWN_ANSWERS),
  scoreLogits: z.array(shapes.finite).length(KNOWN_ANSWERS),
});

/** Deeper or wider ones are no students. */
const MOST_CONVOLUTIONS = 32;
const MOST_FILTERS = 1024;
const MOST_EXTENT = 4096;

const channelNumbers = z.array(shapes.finite).min(1).max(MOST_FILTERS);

const student = z.strictObject({
  input: z
    .strictObject({
      layout: z.enum(['NCHW', 'NHWC']),
      channels: shapes.ordinal.max(MOST_FILTERS),
      height: shapes.ordinal.max(MOST_EXTENT),
      width: shapes.ordinal.max(MOST_EXTENT),
      mean: channelNumbers,
      scale: z.array(z.number().gt(0)).min(1).max(MOST_FILTERS),
    })
    .refine(
      ({ channels, mean, scale }) => mean.length === channels && scale.length === channels,
      'mean and scale need one number per channel',
    ),
  convolutions: z
    .array(z.strictObject({ stride: z.literal([1, 2]), weights: matrixRef, bias: arrayRef }))
    .min(1)
    .max(MOST_CONVOLUTIONS),
  dense: matrixRef,
  denseBias: arrayRef,
});

const head = z.strictObject({
  exit: shapes.exitName,
  tensor: shapes.tensorName.nullable(),
  modelDigest: shapes.digest.nullable(),
  pool: z.literal([1, 2, 4]),
  hidden: z.literal([0, 64, 128, 256, 1024]),
  featureCount: shapes.ordinal.max(WIRE_LIMITS.features),
  mean: arrayRef.nullable(),
  scale: arrayRef.nullable(),
  w1: matrixRef.nullable(),
  b1: arrayRef.nullable(),
  w2: matrixRef.nullable(),
  b2: arrayRef.nullable(),
  student: z.exactOptional(student),
  compares,
  score,
  temperature: z.number().gt(0).max(1000),
  knownAnswers,
});

const provenance = z.strictObject({
  trainerVersion: shapes.token,
  seed: shapes.counter,
  sampleDigest: shapes.digest,
  costDigest: shapes.digest,
  trainingRows: shapes.counter,
  validationRows: shapes.counter,
  validationDisagreements: shapes.counter,
  samplesUntil: z
    .array(z.strictObject({ podUid: shapes.token, bootId: shapes.token, seq: shapes.counter }))
    .max(1000),
  exits: z
    .array(
      z.strictObject({
        exit: shapes.exitName,
        auroc: shapes.ratio,
        agreement: shapes.ratio,
        coverage: shapes.ratio,
      }),
    )
    .max(WIRE_LIMITS.exits),
  parent: shapes.digest.nullable(),
});

export const manifestSchema = z.strictObject({
  schemaVersion: shapes.schemaVersion,
  backboneDigest: shapes.digest,
  classCount: shapes.ordinal.min(2).max(WIRE_LIMITS.classes),
  heads: z
    .array(head)
    .min(1)
    .max(WIRE_LIMITS.exits)
    .refine((list) => shapes.areUnique(list.map((h) => h.exit)), 'two heads name the same exit')
    .refine(
      (list) => shapes.areUnique(list.map((h) => h.tensor ?? h.modelDigest)),
      'two heads name the same tensor or model',
    )
    .refine(
      (list) => list.filter((h) => h.compares !== undefined).length <= 1,
      'two heads compare frames',
    ),
  training: provenance,
});

export type Manifest = z.infer<typeof manifestSchema>;
export type HeadEntry = Manifest['heads'][number];
export type ArrayRef = z.infer<typeof arrayRef>;
export type MatrixRef = z.infer<typeof matrixRef>;
export type StudentEntry = z.infer<typeof student>;

const FLOAT32 = ['float32'] as const;

/** An array a head must have, with its only shape and dtypes. */
interface Slot {
  readonly field: string;
  readonly ref: ArrayRef | null | undefined;
  readonly shape: readonly number[];
  readonly dtypes: readonly ArrayRef['dtype'][];
}

function matrixSlots(
  field: string,
  matrix: MatrixRef | null,
  shape: readonly [number, number],
): Slot[] {
  const values: Slot = { field, ref: matrix?.values, shape, dtypes: ['int8', 'float16'] };
  if (matrix?.values.dtype !== 'int8') return [values];
  return [
    values,
    { field: `${field}.scales`, ref: matrix.scales, shape: [shape[1]], dtypes: FLOAT32 },
  ];
}

function tensorSlots(entry: HeadEntry, classCount: number): Slot[] {
  const { featureCount: features, hidden } = entry;
  const first = hidden === 0 ? classCount : hidden;
  const slots: Slot[] = [
    { field: 'mean', ref: entry.mean, shape: [features], dtypes: FLOAT32 },
    { field: 'scale', ref: entry.scale, shape: [features], dtypes: FLOAT32 },
    ...matrixSlots('w1', entry.w1, [features, first]),
    { field: 'b1', ref: entry.b1, shape: [first], dtypes: FLOAT32 },
  ];
  if (hidden === 0) return slots;
  return [
    ...slots,
    ...matrixSlots('w2', entry.w2, [hidden, classCount]),
    { field: 'b2', ref: entry.b2, shape: [classCount], dtypes: FLOAT32 },
  ];
}

/** Each convolution reads what the one before gives. */
function studentSlots(entry: StudentEntry, classCount: number): Slot[] {
  let inputs = entry.input.channels;
  const slots = entry.convolutions.flatMap(({ weights, bias }, i): Slot[] => {
    const outputs = Number(bias.shape[0]);
    const shape = [9 * inputs, outputs] as const;
    inputs = outputs;
    return [
      ...matrixSlots(`student.convolutions[${i}].weights`, weights, shape),
      {
        field: `student.convolutions[${i}].bias`,
        ref: bias,
        shape: [Math.min(outputs, MOST_FILTERS)],
        dtypes: FLOAT32,
      },
    ];
  });
  return [
    ...slots,
    ...matrixSlots('student.dense', entry.dense, [inputs, classCount]),
    { field: 'student.denseBias', ref: entry.denseBias, shape: [classCount], dtypes: FLOAT32 },
  ];
}

function findSlotProblem({ field, ref, shape, dtypes }: Slot): string | null {
  if (ref === null || ref === undefined) return `${field} is missing`;
  if (!dtypes.includes(ref.dtype))
    return `${field} has dtype ${ref.dtype}, expected ${dtypes.join(' or ')}`;
  if (ref.shape.join() !== shape.join()) {
    return `${field} has shape [${ref.shape.join()}], expected [${shape.join()}]`;
  }
  const count = elementCount(ref.shape);
  if (count === null || count * DTYPE_BYTES[ref.dtype] !== ref.bytes) {
    return `${field} has ${ref.bytes} bytes, which is not its shape times its dtype`;
  }
  return null;
}

/** Arrays of a head in the order in which they are written. */
function refsOf(entry: HeadEntry): ArrayRef[] {
  const { mean, scale, w1, b1, w2, b2, student: own } = entry;
  const ofStudent =
    own === undefined
      ? []
      : [
          ...own.convolutions.flatMap(({ weights, bias }) => [
            weights.values,
            weights.scales,
            bias,
          ]),
          ...[own.dense.values, own.dense.scales, own.denseBias],
        ];
  return [mean, scale, w1?.values, w1?.scales, b1, w2?.values, w2?.scales, b2, ...ofStudent].filter(
    (ref) => ref !== null && ref !== undefined,
  );
}

function slotsOf(entry: HeadEntry, classCount: number): Slot[] {
  if (entry.tensor !== null) return tensorSlots(entry, classCount);
  return entry.student === undefined ? [] : studentSlots(entry.student, classCount);
}

function findComparingProblem({
  compares: compared,
  tensor,
  pool,
  featureCount,
}: HeadEntry): string | null {
  if (compared === undefined) return null;
  if (tensor === null) return 'a companion has no frames to compare';
  return pool === 1 && featureCount === COMPARISON_VALUES
    ? null
    : `a comparison of frames has pool 1 and featureCount ${COMPARISON_VALUES}`;
}

function findHeadProblem(entry: HeadEntry, classCount: number): string | null {
  if ((entry.tensor === null) === (entry.modelDigest === null)) {
    return 'exactly one of tensor, modelDigest must be set';
  }
  if (entry.knownAnswers.classes.some((c) => c >= classCount)) {
    return 'a known answer names a class beyond classCount';
  }
  const companion = entry.tensor === null;
  if (companion && entry.featureCount !== classCount) {
    return 'a companion has featureCount = classCount';
  }
  if ((entry.student !== undefined) !== (companion && entry.exit === STUDENT_EXIT)) {
    return `the exit ${STUDENT_EXIT} is a companion with its weights, and no other exit has any`;
  }
  return findComparingProblem(entry) ?? findArrayProblem(entry, classCount);
}

function findArrayProblem(entry: HeadEntry, classCount: number): string | null {
  const slots = slotsOf(entry, classCount);
  for (const slot of slots) {
    const problem = findSlotProblem(slot);
    if (problem !== null) return problem;
  }
  return refsOf(entry).length === slots.length
    ? null
    : 'it has an array that its shape does not use';
}

/** What does not fit in a manifest whose fields are well formed, or null: shapes, sizes, and a blob used exactly once. */
export function findManifestProblem(manifest: Manifest, blobBytes: number): string | null {
  for (const entry of manifest.heads) {
    const problem = findHeadProblem(entry, manifest.classCount);
    if (problem !== null) return `head "${entry.exit}": ${problem}`;
  }
  let end = 0;
  const refs = manifest.heads.flatMap(refsOf).sort((a, b) => a.offset - b.offset);
  for (const ref of refs) {
    if (ref.offset !== end) return `the arrays overlap or leave a hole at byte ${end} of the blob`;
    end += ref.bytes;
  }
  return end === blobBytes ? null : `the arrays take ${end} bytes, the blob has ${blobBytes}`;
}
