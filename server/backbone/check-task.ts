import type { TaskName } from '../../crds/wire/task.ts';
import { MODEL_NOTES_FILE, NO_NOTES, type ModelNotes } from '../engine/model-notes.ts';
import { LoadError } from './load-error.ts';

/** Refuses a model whose notes say another task than was declared. Throws LoadError. */
export function checkTask(notes: ModelNotes, declared: TaskName | null): void {
  const { task } = notes;
  if (declared === null || declared === task) return;
  const cure =
    declared === 'Detection'
      ? `put ${MODEL_NOTES_FILE} with task Detection and how its maps become boxes beside the model, or remove backbone.task`
      : `correct backbone.task, or task in ${MODEL_NOTES_FILE}`;
  const why =
    notes === NO_NOTES
      ? `there is no ${MODEL_NOTES_FILE} beside it that says otherwise`
      : `${MODEL_NOTES_FILE} beside it says so`;
  throw new LoadError(
    'BackboneLoadFailed',
    `backbone.task is ${declared}, but the model is served for ${task}, since ${why}: ${cure}.`,
  );
}
