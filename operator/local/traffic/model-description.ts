import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { TASKS } from '../../../crds/wire/task.ts';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';

/** `layercache.json` beside a model: how raw rows become its input. Strict; every field optional. */
const modelDescription = z.strictObject({
  input: z
    .strictObject({
      name: z.string().max(256).optional(),
      layout: z.enum(['NCHW', 'NHWC']).optional(),
      /** u1 rows: x = (raw * scale - mean[channel]) / std[channel]. */
      scale: z.number().positive().optional(),
      mean: z.array(z.number()).max(65_536).optional(),
      std: z.array(z.number().positive()).max(65_536).optional(),
      /** Pictures are decoded and resized to this size. */
      image: z
        .strictObject({
          width: z.int().positive().max(65_536),
          height: z.int().positive().max(65_536),
          resize: z.enum(['Cover', 'Contain', 'Fill']).optional(),
          colors: z.enum(['RGB', 'BGR', 'Gray']).optional(),
        })
        .optional(),
    })
    .optional(),
  output: z.string().max(256).optional(),
  labels: z.array(z.string().max(256)).max(65_536).optional(),
  task: z.enum(TASKS).optional(),
  /** How a detector's outputs become boxes: the server reads and checks it. */
  detection: z.looseObject({}).optional(),
});

export type ModelDescriptionFile = z.infer<typeof modelDescription>;

/** Reads `layercache.json` from the model's folder; none there is an empty description. */
export function loadModelDescription(modelPath: string): ModelDescriptionFile {
  const path = join(dirname(modelPath), 'layercache.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return {};
  }
  try {
    const parsed = modelDescription.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    throw new CliError('ModelDescriptionInvalid', {
      where: path,
      why: `${z.prettifyError(parsed.error).replace(/\s+/g, ' ')}.`,
    });
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('ModelDescriptionInvalid', {
      where: path,
      why: `${errorText(error)}.`,
      cause: error,
    });
  }
}
