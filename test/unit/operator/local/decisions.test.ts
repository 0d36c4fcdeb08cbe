import { describe, expect, test } from 'vitest';
import { selectExits, withSourceHeader } from '../../../../operator/local/exit-discovery.ts';
import { explainMissing } from '../../../../operator/local/explain-missing.ts';
import { nearestNames } from '../../../../crds/schema/edit-distance.ts';
import { createPhaseLog } from '../../../../operator/local/phase-log.ts';
import { scopeOf } from '../../../../operator/local/policy-scope.ts';
import type { ServerState } from '../../../../crds/wire/state.ts';
import { aCandidate, aPolicy, aState, aTrack } from '../../crds/documents.ts';

function withCuts(
  count: number,
  tensorOf = (i: number) => `/layer${i}/Relu_output_0`,
): Pick<ServerState, 'cuts' | 'rejectedCuts' | 'backbone' | 'companions' | 'companionModels'> {
  const cuts = Array.from({ length: count }, (_, i) => ({
    tensor: tensorOf(i),
    macsShare: (i + 1) / (count + 1),
    msShare: (i + 1) / (count + 1),
    channels: 8,
    height: 4,
    width: 4,
    pool: 4 as const,
  }));
  const { backbone } = aState();
  return {
    ...{ cuts, backbone, companions: [] },
    rejectedCuts: [{ tensor: 'tokens', reason: 'holds int64' }],
  };
}

describe('exits that no manifest names', () => {
  test('are all cuts while there are eight at most, named after their tensors', () => {
    const exits = selectExits(withCuts(3), undefined, 'svc.yaml');
    expect(exits.map(({ name }) => name)).toEqual(['layer0-relu', 'layer1-relu', 'layer2-relu']);
  });

  test('of many cuts are eight that lie evenly from the first to the last', () => {
    const exits = selectExits(withCuts(57), undefined, 'svc.yaml');
    expect(exits.map(({ tensor }) => Number(/\d+/.exec(tensor ?? '')?.[0]))).toEqual([
      0, 8, 16, 24, 32, 40, 48, 56,
    ]);
  });

  test.each([
    ['long names keep their last words', `${'a'.repeat(40)}/conv`, 'conv'],
    ['the reserved name is replaced', 'backbone', 'exit'],
    ['names without letters are replaced', '///', 'exit'],
    ['suffixes of exporters go', 'Block2:0', 'block2'],
  ])('%s', (_, tensor, name) => {
    expect(
      selectExits(
        withCuts(1, () => tensor),
        undefined,
        'x',
      )[0]?.name,
    ).toBe(name);
  });

  test('of equal labels are numbered', () => {
    const exits = selectExits(
      withCuts(2, (i) => (i === 0 ? 'a.b' : 'a_b')),
      undefined,
      'x',
    );
    expect(exits.map(({ name }) => name)).toEqual(['a-b', 'a-b-2']);
  });
});

describe('a header that the run was given', () => {
  const plain = { name: 'empty', tensor: 'b', mode: 'Active' as const };
  const still = { name: 'still', tensor: 'a', mode: 'Active' as const, sourceHeader: 'x-camera' };

  test('takes the place of the one of the manifest', () => {
    expect(withSourceHeader([still, plain], 'x-room')).toEqual([
      { ...still, sourceHeader: 'x-room' },
      plain,
    ]);
    expect(withSourceHeader([still, plain], null)).toEqual([still, plain]);
    expect(withSourceHeader(undefined, null)).toBeUndefined();
  });

  test('is refused where no exit compares frames', () => {
    for (const exits of [undefined, [], [plain]]) {
      expect(() => withSourceHeader(exits, 'x-room')).toThrow('no exit of the manifest compares');
    }
  });
});

describe('exits of a manifest', () => {
  test('keep the header that names the sources of their frames', () => {
    const still = { name: 'a', tensor: '/layer0/Relu_output_0', mode: 'Active' as const };
    const [exit] = selectExits(withCuts(3), [{ ...still, sourceHeader: 'x-camera' }], 'svc.yaml');
    expect(exit).toMatchObject({ ...still, sourceHeader: 'x-camera' });
    expect(selectExits(withCuts(3), [still], 'svc.yaml')[0]).not.toHaveProperty('sourceHeader');
  });

  test('come in backbone order with their mode', () => {
    const named = [
      { name: 'late', tensor: '/layer2/Relu_output_0', mode: 'Shadow' as const },
      { name: 'early', tensor: '/layer0/Relu_output_0', mode: 'Active' as const },
    ];
    const exits = selectExits(withCuts(3), named, 'svc.yaml');
    expect(exits.map(({ name, mode }) => [name, mode])).toEqual([
      ['early', 'Active'],
      ['late', 'Shadow'],
    ]);
  });

  test('an empty list is a plain server', () => {
    expect(selectExits(withCuts(3), [], 'svc.yaml')).toEqual([]);
  });

  test('a tensor that is no cut suggests the nearest names', () => {
    const named = [{ name: 'early', tensor: '/layer0/Relu_output', mode: 'Active' as const }];
    expect(() => selectExits(withCuts(2), named, 'svc.yaml')).toThrow(
      'An exit names a tensor that is no cut of the backbone (svc.yaml): exit early names /layer0/Relu_output; did you mean /layer0/Relu_output_0, /layer1/Relu_output_0? Use a name that `layercache inspect MODEL` lists. [TensorNotFound]',
    );
  });

  test('a tensor that the engine refused as a cut says why', () => {
    const named = [{ name: 'early', tensor: 'tokens', mode: 'Active' as const }];
    expect(() => selectExits(withCuts(2), named, 'svc.yaml')).toThrow(
      'exit early names tokens (holds int64). Use a name that `layercache inspect MODEL` lists.',
    );
  });

  test('companions come first, and one that does not run says why', () => {
    const late = { name: 'late', tensor: '/layer1/Relu_output_0', mode: 'Active' as const };
    const small = { name: 'small', mode: 'Active' as const };
    const model = withCuts(2);
    const companionModels = [
      {
        ...{ name: 'small', digest: 'sha256:1', format: 'ONNX', sizeBytes: 9 },
        ...{ macs: model.backbone.macs, msShare: 0.9 },
      },
    ];
    const exits = selectExits({ ...model, companionModels }, [late, small], 'svc.yaml');
    expect(exits.map(({ name, macsShare }) => [name, macsShare])).toEqual([
      ['small', 1],
      ['late', 2 / 3],
    ]);
    const companions = [
      { name: 'small', code: 'CompanionLoadFailed' as const, message: 'it has 4 classes' },
    ];
    expect(() => selectExits({ ...model, companions }, [small], 'svc.yaml')).toThrow(
      'A companion model cannot run before the backbone (svc.yaml): exit small: it has 4 classes. Correct exits[].model, or remove the exit. [CompanionLoadFailed]',
    );
    expect(() => selectExits(model, [small], 'svc.yaml')).toThrow('the server does not have it');
  });

  test('companions of equal cost go by digest, as servers run them', () => {
    const model = withCuts(2);
    const companionModels = ['b', 'a'].map((name) => ({
      ...{ name, digest: `sha256:${name}`, format: 'ONNX', sizeBytes: 9 },
      ...{ macs: model.backbone.macs, msShare: 0.9 },
    }));
    const named = companionModels.map(({ name }) => ({ name, mode: 'Active' as const }));
    const exits = selectExits({ ...model, companionModels }, named, 'svc.yaml');
    expect(exits.map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

test.each([
  ['a slip', 'fashion-mist', ['fashion-mnist', 'other'], ['fashion-mnist']],
  ['nothing near', 'zebra', ['fashion-mnist'], []],
  [
    'the nearest first',
    'block2',
    ['block23', 'block2a', 'block12', 'bl'],
    ['block23', 'block2a', 'block12'],
  ],
])('nearest names: %s', (_, name, known, expected) => {
  expect(nearestNames(name, known)).toEqual(expected);
});

test.each([
  ['stable alone with a certificate', { candidate: null }, true],
  ['a certified candidate with all traffic', { candidate: aCandidate({ share: 1 }) }, true],
  ['a candidate that shadows beside stable', { candidate: aCandidate({ share: 0 }) }, true],
  ['a candidate with a part of it', { candidate: aCandidate({ share: 0.25 }) }, false],
  ['exits off', { exitsEnabled: false, candidate: null }, false],
  [
    'stable without a certificate',
    { stable: aTrack({ certificate: null, lambdaIndex: null }), candidate: null },
    false,
  ],
  ['no exit that may answer', { stable: aTrack({ activeExits: [] }), candidate: null }, false],
  ['no heads', { stable: null, candidate: null }, false],
])('serving scope: %s', (_, changes, isServing) => {
  expect(scopeOf(aPolicy(changes)).isServing).toBe(isServing);
});

test('phases follow each other and count their requests', () => {
  const phases = createPhaseLog(1_000);
  phases.enter('Collecting', 3_000, 0);
  phases.enter('Collecting', 4_000, 50);
  phases.enter('Training', 5_000, 100);
  expect(phases.close(9_000, 100)).toEqual([
    { stage: 'Load', startSeconds: 0, seconds: 2, requests: 0 },
    { stage: 'Collecting', startSeconds: 2, seconds: 2, requests: 100 },
    { stage: 'Training', startSeconds: 4, seconds: 4, requests: 0 },
  ]);
});

describe('why there is no certificate', () => {
  const progress = {
    stage: 'Shadowing' as const,
    rows: 400,
    wantedRows: 1_000,
    lambdaIndex: null,
    message: 'No look is taken yet.',
  };
  const more = {
    requests: 600,
    seconds: 6,
    isLikely: true,
    message: '600 more requests, about 6 s, do.',
  };

  test.each([
    [
      'says how many more requests, and how long',
      progress,
      more,
      'No look is taken yet. 600 more requests, about 6 s, do.',
    ],
    [
      'says what looks take besides rows',
      progress,
      { ...more, requests: 0 },
      'No look is taken yet. A look also takes 20 blocks of at least 50 audited rows: 1,000 rows in all since the heads were loaded.',
    ],
    ['is silent where nothing helps', progress, null, 'No look is taken yet.'],
    [
      'names the stage where it says nothing',
      { ...progress, message: '' },
      null,
      'The run ended while Shadowing.',
    ],
    ['admits that nothing was decided', null, null, 'The run ended before the first decision.'],
  ])('%s', (_, reached, estimate, text) => {
    expect(explainMissing(reached, estimate, [])).toBe(text);
  });

  test('begins with the last verdict', () => {
    const decision = { nowMs: 1, headRevision: null, details: {} };
    const decisions = [
      { ...decision, reason: 'NotBetter' as const, message: 'The best heads would save 1 %.' },
      { ...decision, reason: 'TrainingStarted' as const, message: 'Training 2 starts.' },
    ];
    expect(explainMissing(progress, null, decisions)).toBe(
      'The best heads would save 1 %. No look is taken yet.',
    );
  });
});
