import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readHeadRevisionStatus } from '../../../../crds/v1alpha1/head-revision-status.ts';
import { readHeadRevision, readService } from '../../../../crds/v1alpha1/read-object.ts';
import { readServiceStatus } from '../../../../crds/v1alpha1/service-status.ts';
import { SEED } from '../damage.ts';
import { aRevisionManifest } from '../verdicts/objects.ts';
import { aManifest } from './service.ts';

function messageOf(object: unknown): string {
  const outcome = readService(object);
  return outcome.ok ? '' : outcome.message;
}

test('a stored object is read with every default', () => {
  const service = readService(aManifest());
  expect(service.ok && service.value.spec.accuracy.maxDisagreement).toBe(0.01);
  const revision = readHeadRevision(aRevisionManifest());
  expect(revision.ok && revision.value.spec.exits[0]?.pool).toBe(2);
});

test('a malformed field is named with its value', () => {
  expect(messageOf(aManifest({ replicas: 5000 }))).toBe(
    'spec.replicas: 5000: write a whole number between 0 and 1000',
  );
});

test('a field that this version does not know is refused, so that it is never silently without effect', () => {
  expect(messageOf(aManifest({ tomorrow: true }))).toContain('"tomorrow"');
});

test('a broken rule is named with its place', () => {
  const spec = { exits: [{ name: 'backbone', tensor: 't' }] };
  expect(readService(aManifest(spec))).toEqual({
    ok: false,
    code: 'InvalidSpec',
    message: 'spec.exits[0]: the name backbone is reserved: choose another',
  });
});

test('many problems give a message that fits a condition', () => {
  const exits = Array.from({ length: 16 }, () => ({ name: 'A'.repeat(60), tensor: '', nope: 1 }));
  const message = messageOf(aManifest({ exits }));
  expect(message).toMatch(/; and [0-9]+ more$/);
  expect(message.length).toBeLessThanOrEqual(1024);
});

test('no JSON makes the readers throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, other) => {
      for (const object of [value, aManifest({ [other]: value }), { spec: value }]) {
        expect(typeof readService(object).ok).toBe('boolean');
        expect(typeof readHeadRevision(object).ok).toBe('boolean');
        expect(typeof readServiceStatus(object)).toBe('object');
        expect(typeof readHeadRevisionStatus(object)).toBe('object');
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('a field of the spec may hold any JSON without harm', () => {
  const fields = ['backbone', 'accuracy', 'exits', 'server', 'rollout', 'pod', 'updateStrategy'];
  fc.assert(
    fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) => {
      expect(typeof readService(aManifest({ [field]: value })).ok).toBe('boolean');
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('a status keeps what can be read and drops the rest', () => {
  const status = {
    observedGeneration: 3,
    replicas: 'two',
    policy: { epoch: 1, revision: 2 },
    fromTheFuture: true,
  };
  expect(readServiceStatus(status)).toEqual({
    observedGeneration: 3,
    policy: { epoch: 1, revision: 2 },
  });
  expect(readHeadRevisionStatus({ conditions: 1, observedGeneration: -1 })).toEqual({
    observedGeneration: -1,
  });
  for (const none of [null, undefined, 1, 'x', []]) expect(readServiceStatus(none)).toEqual({});
});
