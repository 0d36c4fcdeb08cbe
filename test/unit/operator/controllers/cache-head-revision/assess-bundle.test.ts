import { expect, test } from 'vitest';
import type { CacheHeadRevisionSpec } from '../../../../../crds/v1alpha1/cache-head-revision.ts';
import { encodeHeadBundle } from '../../../../../crds/wire/head-bundle.ts';
import { assessBundle } from '../../../../../operator/controllers/cache-head-revision/assess-bundle.ts';
import { aDigest } from '../../../../support/builders.ts';
import { digestOf, fakeBundle } from '../../../../support/test-server.ts';
import { specOf } from './revisions.ts';

const bytes = encodeHeadBundle(fakeBundle(1));
const spec = specOf(bytes);
const [early, late] = spec.exits;

const verdicts: readonly [string, Partial<CacheHeadRevisionSpec>, Uint8Array, string, RegExp][] = [
  ['a bundle that is what its revision says', {}, bytes, 'Verified', /heads for 2 exits\.$/],
  [
    'other bytes',
    {},
    encodeHeadBundle(fakeBundle(2)),
    'DigestMismatch',
    /is not that of the stored file.*Restore/,
  ],
  [
    'a file that is cut',
    { bundle: { ...spec.bundle, digest: digestOf(bytes.subarray(0, 900)) } },
    bytes.subarray(0, 900),
    'Malformed',
    /cannot be read/,
  ],
  [
    'another size',
    { bundle: { ...spec.bundle, sizeBytes: 5 } },
    bytes,
    'Malformed',
    /sizeBytes is 5, the bundle has/,
  ],
  [
    'another backbone',
    { backboneDigest: aDigest(7) },
    bytes,
    'Malformed',
    /spec.backboneDigest is sha256:0+7, the bundle was trained on/,
  ],
  ['another number of classes', { classCount: 99 }, bytes, 'Malformed', /classCount is 99/],
  [
    'exits in another order',
    { exits: [late!, early!] },
    bytes,
    'Malformed',
    /spec.exits is late .*, the bundle has early .*Create another revision/,
  ],
  [
    'another shape of a head',
    { exits: [{ ...early!, pool: 2 }, late!] },
    bytes,
    'Malformed',
    /pool 2/,
  ],
  [
    'a companion instead of a head',
    { exits: [early!, { name: 'late', modelDigest: aDigest(3) }] },
    bytes,
    'Malformed',
    /late \(sha256:0+3\)/,
  ],
  [
    'more bytes than a ConfigMap holds',
    {},
    new Uint8Array(921_601),
    'HeadTooLarge',
    /921601 bytes.*s3 or oci/,
  ],
];

test.each(verdicts)('%s', (...row) => {
  const [, change, stored, reason, message] = row;
  const verdict = assessBundle({ ...spec, ...change }, stored);
  expect(verdict.reason).toBe(reason);
  expect(verdict.status).toBe(reason === 'Verified' ? 'True' : 'False');
  expect(verdict.message).toMatch(message);
  expect(verdict.message.length).toBeLessThanOrEqual(1024);
});

test('one head is told in the singular', () => {
  const { heads, ...rest } = fakeBundle(1);
  const one = encodeHeadBundle({ ...rest, heads: heads.slice(0, 1) });
  expect(assessBundle({ ...specOf(one), exits: [early!] }, one).message).toContain('1 exit.');
});
