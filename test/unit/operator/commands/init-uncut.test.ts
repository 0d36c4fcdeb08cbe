import { describe, expect, test } from 'vitest';
import { nextSteps } from '../../../../operator/commands/init/next-steps.ts';
import { manifestText } from '../../../../operator/commands/init/manifest-text.ts';
import { whyUncut } from '../../../../operator/local/why-uncut.ts';
import type { OutputProblem } from '../../../../crds/wire/state.ts';
import { aState } from '../../crds/documents.ts';

const state = aState();
const withoutOutput = (outputProblem: OutputProblem) => ({
  ...state,
  cuts: [],
  backbone: { ...state.backbone, outputName: null, outputKind: null, classCount: 0, outputProblem },
});
const ROW = { name: 'x', datatype: 'FP32' };
const withRow = (...shape: number[]) => ({
  ...state,
  backbone: { ...state.backbone, inputs: [{ ...ROW, shape: [-1, ...shape] }] },
});

describe('why a model has no exits', () => {
  test('is nothing to say of one with cuts', () => {
    expect(whyUncut(state)).toBeNull();
  });

  test('is the tensor and operator in the way, and what can be done all the same', () => {
    const rejectedCuts = [{ tensor: 'r1', reason: 'is used inside a control-flow body of the If' }];
    expect(whyUncut({ ...state, cuts: [], rejectedCuts })).toBe(
      'The model has no tensor where it can be cut (r1: is used inside a control-flow body of the If), so no exit inside it is ' +
        'possible. A companion, a small model of the same classes, can answer before it: exits[].model.',
    );
  });

  test('is said of a model of one operator, too', () => {
    expect(whyUncut({ ...state, cuts: [], rejectedCuts: [] })).toMatch(
      /^The model has no tensor where it can be cut, so no exit/,
    );
  });

  test('is its output, where that names no class', () => {
    const problem = { code: 'NoClassOutput', message: 'It ends in an ArgMax.' } as const;
    expect(whyUncut(withoutOutput(problem))).toBe('It ends in an ArgMax.');
  });
});

describe('a manifest of a model without a class output', () => {
  const text = (outputProblem: OutputProblem): string =>
    manifestText({
      ...{ name: 'm', uri: 'file:m.onnx', maxDisagreement: '1%' },
      state: withoutOutput(outputProblem),
    });

  test('leaves the line for its name where several could be it', () => {
    const said = text({ code: 'OutputAmbiguous', message: 'There are several.' });
    expect(said).toContain('    # outputName: NAME\n');
    expect(said).toContain('  # There are several.\n  exits: []\n');
  });

  test('asks for no name where none can be it', () => {
    expect(text({ code: 'NoClassOutput', message: 'There is none.' })).not.toContain('outputName');
  });
});

describe('what follows a manifest', () => {
  test('is a run on rows of the shape that the model takes', () => {
    const said = nextSteps(withRow(12)).join('\n');
    expect(said).toContain('--traffic npy:ROWS.npy   # float32 [rows, 12], ready for the model');
    expect(said).not.toContain('images:');
  });

  test.each([
    [[3, 32, 40], 'NCHW'],
    [[32, 40, 1], 'NHWC'],
  ])('is also a run on pictures where a row looks like one: %j', (shape, layout) => {
    expect(nextSteps(withRow(...shape)).join('\n')).toContain(
      `{"input": {"layout": "${layout}", "scale": 0.00392156862745098}}`,
    );
  });

  test('are no pictures for maps of many channels', () => {
    expect(nextSteps(withRow(16, 8, 8)).join('\n')).not.toContain('images:');
  });

  test('is nothing for a model without exits to learn', () => {
    expect(nextSteps({ ...state, cuts: [] })).toEqual([]);
    const problem = { code: 'NoClassOutput', message: 'There is none.' } as const;
    expect(nextSteps(withoutOutput(problem))).toEqual([]);
  });
});
