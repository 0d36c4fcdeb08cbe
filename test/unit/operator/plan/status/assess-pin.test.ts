import { expect, test } from 'vitest';

import { assessPin, type PinInput } from '../../../../../operator/plan/status/assess-pin.ts';
import type { LiveObject } from '../../../../../operator/plan/live-object.ts';
import { DIGEST_A, DIGEST_B } from '../../../crds/documents.ts';
import { aRevisionManifest } from '../../../crds/verdicts/objects.ts';
import { aSpec } from './builders.ts';

const EARLY = { name: 'early', tensor: 'layer2_out' };
const pinning = { heads: { revision: 'mine' } };
// A manifest is what the API server would hold.
const revision = (spec: Record<string, unknown> = {}): LiveObject =>
  aRevisionManifest({ backboneDigest: DIGEST_A, ...spec }, 'mine') as LiveObject;

const withAvailable = (condition: object): LiveObject => ({
  ...revision(),
  status: { conditions: [{ type: 'Available', ...condition }] },
});

const ROWS: readonly [string, Partial<PinInput>, string | null][] = [
  ['nothing is pinned', { spec: aSpec() }, null],
  [
    'the revision is not there',
    { pinned: null },
    'HeadsNotFound: heads.revision names mine, and there is no such CacheHeadRevision',
  ],
  [
    'the revision is for another service',
    { serviceName: 'other' },
    'HeadsIncompatible: heads.revision mine is for service vision',
  ],
  [
    'the revision is for another backbone',
    { backboneDigest: DIGEST_B },
    `HeadsIncompatible: heads.revision mine is for backbone ${DIGEST_A}, loaded is ${DIGEST_B}`,
  ],
  [
    'an exit of it is not named by the spec',
    { spec: aSpec({ ...pinning, exits: [{ name: 'early', tensor: 'layer1_out' }] }) },
    'HeadsIncompatible: heads.revision mine has heads for exit early (tensor layer2_out), which is none of spec.exits',
  ],
  [
    'a companion of it is not named by the spec',
    {
      spec: aSpec({ ...pinning, exits: [EARLY] }),
      pinned: revision({ exits: [{ name: 'small', modelDigest: DIGEST_B }] }),
    },
    'HeadsIncompatible: heads.revision mine has heads for exit small (a companion), which is none of spec.exits',
  ],
  [
    'the spec pins another companion',
    {
      spec: aSpec({
        ...pinning,
        exits: [{ name: 'small', model: { uri: 'https://a.example/s', digest: DIGEST_A } }],
      }),
      pinned: revision({ exits: [{ name: 'small', modelDigest: DIGEST_B }] }),
    },
    'HeadsIncompatible: heads.revision mine has heads for exit small (a companion), which is none of spec.exits',
  ],
  [
    'its exit is a tensor in the spec',
    {
      spec: aSpec({ ...pinning, exits: [{ name: 'small', tensor: 'layer2_out' }] }),
      pinned: revision({ exits: [{ name: 'small', modelDigest: DIGEST_B }] }),
    },
    'HeadsIncompatible: heads.revision mine has heads for exit small (a companion), which is none of spec.exits',
  ],
  [
    'the spec names a companion without its digest',
    {
      spec: aSpec({
        ...pinning,
        exits: [{ name: 'small', model: { uri: 'https://a.example/s' } }],
      }),
      pinned: revision({ exits: [{ name: 'small', modelDigest: DIGEST_B }] }),
    },
    'Usable: ',
  ],
  [
    'its exit is a companion in the spec',
    {
      spec: aSpec({
        ...pinning,
        exits: [{ name: 'early', model: { uri: 'https://a.example/s' } }],
      }),
    },
    'HeadsIncompatible: heads.revision mine has heads for exit early (tensor layer2_out), which is none of spec.exits',
  ],
  [
    'the revision breaks a rule',
    { pinned: revision({ exits: [{ name: 'early', tensor: 'layer2_out', pool: 3, hidden: 64 }] }) },
    'HeadsIncompatible: heads.revision mine breaks a rule: spec.exits[0]: pool must be 1, 2 or 4 and hidden 0, 64, 128, 256 or 1024',
  ],
  [
    'the bundle of the revision is too large for its store, which other heads do not change',
    {
      pinned: withAvailable({
        ...{ status: 'False', reason: 'HeadTooLarge' },
        message: 'The bundle has 950000 bytes: store it in s3 or oci.',
      }),
    },
    'HeadTooLarge: heads.revision mine has no bundle that can be loaded (HeadTooLarge: The bundle has 950000 bytes: store it in s3 or oci)',
  ],
  [
    'the bundle of the revision is not what it says',
    {
      pinned: withAvailable({
        ...{ status: 'False', reason: 'DigestMismatch' },
        message: 'spec.bundle.digest is another. Restore the right file.',
      }),
    },
    'HeadsIncompatible: heads.revision mine has no bundle that can be loaded (DigestMismatch: spec.bundle.digest is another. Restore the right file)',
  ],
  [
    'the bundle of the revision is not verified yet',
    { pinned: withAvailable({ status: 'Unknown' }) },
    'Usable: ',
  ],
  ['no backbone is loaded yet', { backboneDigest: null }, null],
  ['the exits are discovered', {}, 'Usable: '],
  ['the exits are named', { spec: aSpec({ ...pinning, exits: [EARLY] }) }, 'Usable: '],
];

test.each(ROWS)('pinned heads when %s', (_, input, expected) => {
  const verdict = assessPin({
    serviceName: 'vision',
    spec: aSpec(pinning),
    pinned: revision(),
    backboneDigest: DIGEST_A,
    ...input,
  });
  expect(verdict === null ? null : `${verdict.code}: ${verdict.message}`).toBe(expected);
});
