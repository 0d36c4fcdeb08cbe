import fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  parseAcknowledgement,
  serializeAcknowledgement,
} from '../../../../crds/wire/acknowledgement.ts';
import { parseServerState, serializeServerState } from '../../../../crds/wire/state.ts';
import {
  expectRefusedOrWhole,
  SEED,
  withDamagedCharacters,
  withOneFieldDamaged,
} from '../damage.ts';
import { aState, anAcknowledgement } from '../documents.ts';

test('an acknowledgement survives the round trip and has one text', async () => {
  const text = serializeAcknowledgement(anAcknowledgement());
  expect(parseAcknowledgement(text)).toEqual({ ok: true, value: anAcknowledgement() });
  await expect(text).toMatchFileSnapshot('../../../golden/crds/acknowledgement.json');
});

test('a damaged acknowledgement is refused or read as it stands', () => {
  const original = serializeAcknowledgement(anAcknowledgement());
  for (const text of withOneFieldDamaged(original)) {
    expectRefusedOrWhole(text, parseAcknowledgement(text), serializeAcknowledgement);
  }
  fc.assert(
    fc.property(withDamagedCharacters(original), (text) => {
      expectRefusedOrWhole(text, parseAcknowledgement(text), serializeAcknowledgement);
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test('text that is no JSON is no acknowledgement', () => {
  expect(parseAcknowledgement('ok').ok).toBe(false);
});

test('a state survives the round trip and has one text', async () => {
  const states = [aState(), aState({ costs: null, policy: null })];
  for (const state of states) {
    expect(parseServerState(serializeServerState(state))).toEqual({ ok: true, value: state });
  }
  await expect(serializeServerState(aState())).toMatchFileSnapshot(
    '../../../golden/crds/state.json',
  );
});

test('a damaged state is refused or read as it stands', () => {
  const original = serializeServerState(aState());
  for (const text of withOneFieldDamaged(original)) {
    expectRefusedOrWhole(text, parseServerState(text), serializeServerState);
  }
  fc.assert(
    fc.property(withDamagedCharacters(original), (text) => {
      expectRefusedOrWhole(text, parseServerState(text), serializeServerState);
    }),
    { seed: SEED, numRuns: 1000 },
  );
  expect(parseServerState('nothing').ok).toBe(false);
});

test('a cost table whose rows do not fit its sizes or cuts is refused', () => {
  const costs = aState().costs!;
  const broken = [
    { ...costs, plainMs: [3] },
    { ...costs, segmentMs: [[1], [7, 13]] },
    { ...costs, headMs: [[0.05, 1], [0.2]] },
    { ...costs, compactMs: [[], [0.1]] },
  ];
  for (const table of broken) {
    expect(parseServerState(serializeServerState(aState({ costs: table }))).ok).toBe(false);
  }
});
