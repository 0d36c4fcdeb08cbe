import { expect, test } from 'vitest';

import { choosePolicyVersion, inPolicyVersion } from '../../../../operator/plan/policy-version.ts';
import { parsePolicy, serializePolicy } from '../../../../crds/wire/policy.ts';
import { aPolicy } from '../../crds/documents.ts';

test.each([
  ['no pod can be asked and none was published', [], null, 1],
  ['no pod can be asked: what was published last', [], 2, 2],
  [
    'all pods read both',
    [
      [1, 2],
      [1, 2],
    ],
    1,
    2,
  ],
  ['one pod is a version behind', [[1, 2], [1]], 2, 1],
  ['pods are a version ahead', [[2, 3, 4, 5, 6]], 1, 5],
  [
    'pods come from two minors',
    [
      [1, 2],
      [1, 2, 3],
    ],
    3,
    2,
  ],
  ['pods share none', [[1], [2]], 2, 1],
] as const)('the version of a policy when %s', (_, supported, before, expected) => {
  expect(choosePolicyVersion(supported, before)).toBe(expected);
});

test('a version keeps what it has a field for and nothing else', () => {
  const content = aPolicy();
  const second = inPolicyVersion(content, 2, 'Warn');
  expect(second.limits).toEqual({ ...content.limits, logLevel: 'Warn' });
  expect(inPolicyVersion(second, 2, 'Error').limits.logLevel).toBe('Error');
  expect(inPolicyVersion(second, 1, 'Error')).toEqual(content);
});

test('what a certificate is for came with version 3: older readers never see it, older ledgers are completed', () => {
  const content = aPolicy();
  const { stable, candidate } = inPolicyVersion(content, 3, 'Info');
  for (const track of [stable!, candidate!]) {
    const { headRevision, lambdaIndex, certificate } = track;
    expect(certificate).toMatchObject({ headRevision, lambdaIndex });
  }
  expect(inPolicyVersion({ ...content, stable }, 2, 'Info').stable).toEqual(content.stable);
  const own = { ...stable!, certificate: { ...stable!.certificate!, lambdaIndex: 70 } };
  expect(inPolicyVersion({ ...content, stable: own }, 3, 'Info').stable).toEqual(own);
  const shadow = { ...stable!, certificate: null, lambdaIndex: null, activeExits: [] };
  expect(inPolicyVersion({ ...content, stable: shadow, candidate: null }, 3, 'Info')).toMatchObject(
    {
      stable: shadow,
      candidate: null,
    },
  );
});

test('Strict agreement is told in version 3 at most: what older servers read stays as it was', () => {
  const content = aPolicy();
  expect(inPolicyVersion(content, 4, 'Info')).toEqual(inPolicyVersion(content, 3, 'Info'));
  expect(inPolicyVersion({ ...content, schemaVersion: 4 }, 4, 'Info').schemaVersion).toBe(3);
});

test('F1 came with version 4: to older readers no heads are certified, and none answers', () => {
  const content = { ...aPolicy(), agreement: 'F1' as const };
  const [stable, candidate] = [content.stable!, content.candidate!];
  expect(inPolicyVersion(content, 4, 'Info')).toMatchObject({
    ...{ schemaVersion: 4, agreement: 'F1', exitsEnabled: true },
    stable: { lambdaIndex: stable.lambdaIndex, certificate: stable.certificate },
    candidate: { share: candidate.share, stage: 'Ramping' },
  });
  const none = { lambdaIndex: null, certificate: null, activeExits: [] };
  const older = inPolicyVersion(content, 3, 'Info');
  expect(older).toMatchObject({
    ...{ schemaVersion: 3, exitsEnabled: false },
    stable: { headRevision: stable.headRevision, ...none },
    candidate: { headRevision: candidate.headRevision, ...none, share: 0, stage: 'Shadowing' },
  });
  expect(older).not.toHaveProperty('agreement');
  expect(parsePolicy(serializePolicy({ ...older, epoch: 1, revision: 1 })).ok).toBe(true);
  const staging = {
    ...content,
    stable: null,
    candidate: { ...candidate, stage: 'Staging' as const },
  };
  expect(inPolicyVersion(staging, 1, 'Info')).toMatchObject({
    ...{ stable: null, candidate: { stage: 'Staging' } },
  });
  expect(inPolicyVersion({ ...content, candidate: null }, 2, 'Info').candidate).toBeNull();
});

/** An exit that only version 5 can name. */
const STILL = { name: 'still', tensor: 'first', mode: 'Active', sourceHeader: 'x-camera' } as const;

test('sources came with version 5, which always names the agreement', () => {
  const plain = aPolicy();
  const content = { ...plain, exits: [STILL, ...plain.exits] };
  const told = inPolicyVersion(content, 5, 'Info');
  expect(told).toMatchObject({ schemaVersion: 5, agreement: 'Strict', exits: content.exits });
  expect(inPolicyVersion({ ...content, agreement: 'F1' }, 5, 'Info').agreement).toBe('F1');
  const numbered = { ...told, epoch: 1, revision: 1 };
  expect(parsePolicy(serializePolicy(numbered))).toEqual({ ok: true, value: numbered });
  // Without an exit that needs it, it is not written.
  expect(inPolicyVersion(plain, 5, 'Info').schemaVersion).toBe(3);
  expect(inPolicyVersion({ ...plain, agreement: 'F1' }, 5, 'Info').schemaVersion).toBe(4);
});

test('older readers get no exit that compares frames, and no heads of which one may', () => {
  const plain = aPolicy();
  const content = { ...plain, agreement: 'F1' as const, exits: [STILL, ...plain.exits] };
  for (const newest of [1, 2, 3, 4] as const) {
    expect(inPolicyVersion(content, newest, 'Info')).toMatchObject({
      ...{ schemaVersion: newest, exits: plain.exits, exitsEnabled: false },
      ...{ stable: null, candidate: null },
    });
  }
});
