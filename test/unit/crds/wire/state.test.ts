import { expect, test } from 'vitest';
import {
  parseServerState,
  serializeServerState,
  type ServerState,
} from '../../../../crds/wire/state.ts';
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

test('a detector has an output without a kind of class scores', () => {
  const detector = { task: 'Detection', outputName: 'boxes', outputKind: null, classCount: 2 };
  expect(parsed(detector)).toMatchObject({ ok: true, value: { backbone: detector } });
});

test.each([
  ['class scores of boxes', { task: 'Detection' }],
  ['classes without a kind', { outputKind: null }],
  ['classes of no output', { ...NO_CLASS, classCount: 10 }],
  ['no reason', { ...NO_CLASS, outputProblem: null }],
  ['a kind of no output', { ...NO_CLASS, outputKind: 'Logits' }],
  ['a reason although there is one', { outputProblem: NO_CLASS.outputProblem }],
  ['an output without classes', { classCount: 0 }],
])('a backbone with %s is refused', (_, backbone) => {
  expect(parsed(backbone)).toMatchObject({ ok: false });
});

const COMPANION = `sha256:${'c'.repeat(64)}`;

function withCompanions(companions: number): ServerState {
  const state = aState();
  const before = (row: readonly number[]): number[] => [0.5, ...row];
  const { cuts, segmentMs, headMs, compactMs, ...costs } = state.costs!;
  return {
    ...state,
    companionModels: [
      {
        ...{ name: 'small', digest: COMPANION, format: 'ONNX' },
        ...{ sizeBytes: 900, macs: 12_000, msShare: 0.1 },
      },
    ],
    costs: {
      ...costs,
      cuts: [COMPANION, ...cuts],
      segmentMs: segmentMs.map(before),
      headMs: headMs.map(before),
      compactMs: compactMs.map(before),
      companions,
    },
  };
}

test('companions and their costs survive the round trip', () => {
  const state = withCompanions(1);
  expect(parseServerState(serializeServerState(state))).toEqual({ ok: true, value: state });
});

test('a table with more companions than cuts is refused', () => {
  expect(parseServerState(serializeServerState(withCompanions(9)))).toMatchObject({ ok: false });
});
