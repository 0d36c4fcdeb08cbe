import { expect, test } from 'vitest';
import { checkTask } from '../../../../server/backbone/check-task.ts';
import { ModelNotesSchema, NO_NOTES } from '../../../../server/engine/model-notes.ts';
import { blockText } from '../../docs/documents.ts';

const DETECTOR = ModelNotesSchema.parse({
  task: 'Detection',
  detection: { scores: 's', extents: 'e', stride: 4 },
});

test('what was declared, and nothing declared, is fine', () => {
  expect(() => {
    checkTask(NO_NOTES, null);
    checkTask(NO_NOTES, 'Classification');
    checkTask(DETECTOR, null);
    checkTask(DETECTOR, 'Detection');
  }).not.toThrow();
});

test('another task is refused, with what to do', () => {
  expect(() => {
    checkTask(NO_NOTES, 'Detection');
  }).toThrow(
    /^backbone\.task is Detection, but .* for Classification, since there is no layercache\.json beside it .*: put layercache\.json with/,
  );
  expect(() => {
    checkTask(DETECTOR, 'Classification');
  }).toThrow(
    /^backbone\.task is Classification, but .* for Detection, since layercache\.json beside it says so: correct backbone\.task/,
  );
});

test('notes of a detector say how its maps become boxes, those of others do not', () => {
  expect(DETECTOR.detection).toEqual({
    ...{ scores: 's', extents: 'e', stride: 4 },
    ...{ minScore: 0.4, maxOverlap: 0.5, maxBoxes: 100 },
  });
  const { detection } = DETECTOR;
  for (const notes of [{ task: 'Detection' }, { detection }, { task: 'Classification', detection }])
    expect(ModelNotesSchema.safeParse(notes).error?.issues).toMatchObject([
      {
        path: ['detection'],
        message: expect.stringContaining('belongs to task Detection') as string,
      },
    ]);
});

test('the notes of the guide are read, and what it calls optional has the values that it says', () => {
  const guide = 'charts/layercache/docs/own-model.md';
  const notes = ModelNotesSchema.parse(JSON.parse(blockText(`${guide}#a-detector`)));
  const { scores, extents, stride } = notes.detection!;
  expect(ModelNotesSchema.parse({ ...notes, detection: { scores, extents, stride } })).toEqual(
    notes,
  );
});
