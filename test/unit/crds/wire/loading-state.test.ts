import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  parsePodState,
  serializeLoadingState,
  type LoadingState,
} from '../../../../crds/wire/loading-state.ts';
import type { Result } from '../../../../crds/wire/result.ts';
import { serializeServerState } from '../../../../crds/wire/state.ts';
import {
  expectRefusedOrWhole,
  SEED,
  withDamagedCharacters,
  withOneFieldDamaged,
} from '../damage.ts';
import { aState } from '../documents.ts';

const LOADING: LoadingState = {
  schemaVersion: 1,
  version: '0.1.0',
  podUid: 'pod-1',
  bootId: 'boot-1',
  model: 'vision',
  loading: {
    step: 'Fetching',
    failedAttempts: 3,
    failure: { code: 'BackboneFetchFailed', message: 'it answers 404: correct backbone.uri.' },
  },
  companions: [],
};

const first = {
  ...LOADING,
  loading: { step: 'Loading' as const, failedAttempts: 0, failure: null },
};

test.each([LOADING, first])('a pod that loads its backbone survives the round trip', (state) => {
  expect(parsePodState(serializeLoadingState(state))).toEqual({
    ok: true,
    value: { loaded: false, state },
  });
});

test('a pod that has its backbone is told from one that loads it', () => {
  expect(parsePodState(serializeServerState(aState()))).toEqual({
    ok: true,
    value: { loaded: true, state: aState() },
  });
});

test('a damaged loading state is refused or read as it stands', () => {
  const original = serializeLoadingState(LOADING);
  const parse = (text: string): Result<LoadingState> => {
    const read = parsePodState(text);
    if (!read.ok) return read;
    return read.value.loaded
      ? { ok: false, code: 'Loaded', message: 'server state refused: it is loaded; look again.' }
      : { ok: true, value: read.value.state };
  };
  for (const text of withOneFieldDamaged(original))
    expectRefusedOrWhole(text, parse(text), serializeLoadingState);
  fc.assert(
    fc.property(withDamagedCharacters(original), (text) => {
      expectRefusedOrWhole(text, parse(text), serializeLoadingState);
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test.each(['nothing', '[]', '{"loading":{}}', '{}'])('%s is no state', (text) => {
  expect(parsePodState(text).ok).toBe(false);
});
