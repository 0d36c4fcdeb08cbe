import { expect, test } from 'vitest';

import { choosePolicyVersion, inPolicyVersion } from '../../../../operator/plan/policy-version.ts';
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
  ['pods are a version ahead', [[2, 3, 4]], 1, 3],
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
