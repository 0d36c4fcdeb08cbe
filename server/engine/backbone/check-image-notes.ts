import { toImageInput } from '../../image/image-input.ts';
import { EngineError } from '../engine-error.ts';
import type { ModelNotes } from '../model-notes.ts';
import { MODEL_NOTES_FILE } from '../model-notes.ts';

/** Refuses a model whose declared image could not become one of its rows. */
export function checkImageNotes(
  path: string,
  { input }: ModelNotes,
  rowDims: readonly number[],
): void {
  const image = toImageInput(input, rowDims);
  if (image.ok) return;
  throw new EngineError(
    'ModelNotesInvalid',
    `${MODEL_NOTES_FILE} beside ${path}: ${image.message}; name the width, height and colors of the model's own input`,
  );
}
