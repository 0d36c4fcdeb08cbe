import { expect, test } from 'vitest';
import { chooseClassOutput } from '../../../../server/engine/backbone/class-output.ts';

const output = (name: string, shape: number[], datatype = 'FP32') => ({ name, datatype, shape });
const BOXES = output('boxes', [-1, 4, 100]);
const DIGITS = output('digits', [-1, 10]);
const LETTERS = output('letters', [-1, 26, 1]);
const LABEL = output('label', [-1], 'INT64');

test('the only output that tells classes apart is the class output, wherever it stands', () => {
  const value = { name: 'letters', classCount: 26 };
  expect(chooseClassOutput('m.onnx', null, [LABEL, BOXES, LETTERS])).toEqual({
    ...{ ok: true, index: 2, value },
  });
});

test('a name settles it', () => {
  const value = { name: 'letters', classCount: 26 };
  expect(chooseClassOutput('m.onnx', 'letters', [DIGITS, LETTERS])).toEqual({
    ...{ ok: true, index: 1, value },
  });
});

test('several and no name: the backbone is served, and the sentence has the names and both places to name one', () => {
  expect(chooseClassOutput('m.onnx', null, [DIGITS, BOXES, LETTERS])).toEqual({
    ok: false,
    problem: {
      code: 'OutputAmbiguous',
      message:
        'The backbone has several class outputs (digits, letters) and none is named: it answers everything itself; ' +
        'for exits, name one in spec.backbone.outputName or as "output" in layercache.json.',
    },
  });
});

test('none: the backbone is served, and the sentence has the outputs with their shapes', () => {
  const choice = chooseClassOutput('m.onnx', null, [BOXES, output('one', [-1, 1])]);
  expect(choice).toMatchObject({ ok: false, problem: { code: 'NoClassOutput' } });
  expect(choice.ok ? '' : choice.problem.message).toContain('boxes [-1, 4, 100], one [-1, 1]');
});

test.each([
  [[LABEL], /for exits, export the scores from before the ArgMax or TopK/],
  [[output('p', [-1, 1])], /for exits, export two scores a row instead of one/],
  [[output('p', [-1])], /for exits, export two scores a row instead of one/],
  [[BOXES, output('one', [-1, 1])], /maps, boxes and embeddings have no class/],
])('what to export instead follows from what there is: %j', (outputs, way) => {
  const choice = chooseClassOutput('m.onnx', null, outputs);
  expect(choice.ok ? '' : choice.problem.message).toMatch(way);
});

test.each([
  ['boxes', 'NoClassOutput', /output boxes of m\.onnx is not float32 \[rows, classes\]; name one/],
  ['digit', 'OutputNotFound', /no output digit; the nearest are digits/],
])('a wrong name, %s, is refused as %s', (wanted, code, message) => {
  expect(() => chooseClassOutput('m.onnx', wanted, [DIGITS, BOXES])).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
  );
});
