// `layercache.json` beside a model: how raw rows come in, what the output means. Optional, strict.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { TASKS } from '../../crds/wire/task.ts';
import { EngineError } from './engine-error.ts';
import type { ModelSource } from './segment-engine.ts';

/** A CenterNet's outputs, channels last. */
const detection = z.strictObject({
  /** Output [rows, height, width, objects] with scores in 0..1. */
  scores: z.string().min(1).max(512),
  /** Output [rows, height, width, 4]: pixels from the centre to the left, the top, the right and the bottom. */
  extents: z.string().min(1).max(512),
  /** Pixels of the input per place of the maps. */
  stride: z.number().positive().max(4096),
  /** Boxes below it are no answer. */
  minScore: z.number().gt(0).lt(1).default(0.4),
  /** Of boxes of one class that overlap by more, the best stays. */
  maxOverlap: z.number().min(0).max(1).default(0.5),
  maxBoxes: z.int().positive().max(1000).default(100),
});

export type DetectionNotes = z.output<typeof detection>;

const fields = z.strictObject({
  input: z
    .strictObject({
      name: z.string().max(512).optional(),
      layout: z.enum(['NCHW', 'NHWC']).optional(),
      /** u8 rows become (value * scale - mean) / std per channel. */
      scale: z.number().positive().default(1),
      mean: z.array(z.number()).max(4096).default([]),
      std: z.array(z.number().positive()).max(4096).default([]),
      image: z
        .strictObject({
          width: z.int().positive().max(65_536),
          height: z.int().positive().max(65_536),
          /** Cover (the standard): scaled and cut to the middle; Contain: scaled, borders black; Fill: stretched. */
          resize: z.enum(['Cover', 'Contain', 'Fill']).optional(),
          colors: z.enum(['RGB', 'BGR', 'Gray']).optional(),
        })
        .optional(),
    })
    .prefault({}),
  output: z.string().max(512).optional(),
  labels: z.array(z.string().max(256)).max(65_536).default([]),
  task: z.enum(TASKS).default('Classification'),
  detection: detection.optional(),
});

export const ModelNotesSchema = fields.refine(
  (notes) => (notes.task === 'Detection') === (notes.detection !== undefined),
  { path: ['detection'], message: 'belongs to task Detection, which cannot be without it' },
);

export type ModelNotes = z.output<typeof ModelNotesSchema>;

/** Of a model without the file. */
export const NO_NOTES: ModelNotes = ModelNotesSchema.parse({});

export const MODEL_NOTES_FILE = 'layercache.json';

/** The notes of a model, or of what its rows are like: whose output is another one. Throws EngineError ModelNotesInvalid. */
export async function readSourceNotes({
  path,
  rowsLike,
}: Pick<ModelSource, 'path' | 'rowsLike'>): Promise<ModelNotes> {
  const own = await readModelNotes(path);
  if (own !== NO_NOTES || rowsLike === undefined) return own;
  const { input } = await readModelNotes(rowsLike);
  return { ...NO_NOTES, input };
}

/** The notes beside the model; defaults when there is no file. Throws EngineError ModelNotesInvalid. */
export async function readModelNotes(modelPath: string): Promise<ModelNotes> {
  const path = join(dirname(modelPath), MODEL_NOTES_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return NO_NOTES;
  }
  const invalid = (detail: string): EngineError =>
    new EngineError(
      'ModelNotesInvalid',
      `${path}: ${detail}; correct it, or remove the file if clients send ready float32 tensors`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : 'is not JSON');
  }
  const parsed = ModelNotesSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(
    parsed.error.issues
      .slice(0, 3)
      .map(({ path: where, message }) => `${where.join('.')} ${message}`)
      .join('; '),
  );
}
