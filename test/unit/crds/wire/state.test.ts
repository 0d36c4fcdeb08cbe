import { expect, test } from 'vitest';
import { parseServerState, serializeServerState } from '../../../../crds/wire/state.ts';
import { aState } from '../documents.ts';

const NO_CLASS = {
  outputName: null,
  outputKind: null,
  outputProblem: { code: 'OutputAmbiguous', message: 'Outputs: a, b; name one.' },
  classCount: 0,
} as const;

function parsed(backbone: object): ReturnType<typeof parseServerState> {
  const state = aState();
  return parseServerState(
    serializeServerState({ ...state, backbone: { ...state.backbone, ...backbone } }),
  );
}

test('a backbone without a class output survives the round trip, with the reason', () => {
  expect(parsed(NO_CLASS)).toMatchObject({ ok: true, value: { backbone: NO_CLASS } });
});

test.each([
  ['classes of no output', { ...NO_CLASS, classCount: 10 }],
  ['no reason', { ...NO_CLASS, outputProblem: null }],
  ['a kind of no output', { ...NO_CLASS, outputKind: 'Logits' }],
  ['a reason although there is one', { outputProblem: NO_CLASS.outputProblem }],
  ['an output without classes', { classCount: 0 }],
])('a backbone with %s is refused', (_, backbone) => {
  expect(parsed(backbone)).toMatchObject({ ok: false });
});
