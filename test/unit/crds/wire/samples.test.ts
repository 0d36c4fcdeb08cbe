import fc from 'fast-check';
import { expect, test } from 'vitest';

import { writeBinaryFile } from '../../../../crds/wire/binary-file.ts';
import {
  encodeSampleBatch,
  parseSampleBatch,
  topCountOf,
  type SampleBatch,
} from '../../../../crds/wire/samples.ts';
import { SEED, takeApart, withDamagedBytes, withOneFieldDamaged } from '../damage.ts';
import { aBatch, aWideBatch, DIGEST_C } from '../documents.ts';

function messageOf(bytes: Uint8Array): string {
  const outcome = parseSampleBatch(bytes);
  return outcome.ok ? 'accepted' : outcome.message;
}

const anEmptyBatch = aBatch({
  rowCount: 0,
  rowsSeen: 0,
  nextAfter: 0,
  sequence: new Float64Array(0),
  minute: new Uint32Array(0),
  teacherClass: new Uint32Array(0),
  teacherLogProbabilities: new Float32Array(0),
  features: [new Uint16Array(0)],
});

const aFrameBatch = aBatch({
  exits: [
    {
      ...aBatch().exits[0]!,
      ...{ pool: 1, channels: 13, height: 1, width: 1, featureCount: 13 },
      compares: 'PreviousFrame',
    },
  ],
  features: [new Uint16Array(39)],
});

const aCompanionBatch = aBatch({
  exits: [{ ...aBatch().exits[0]!, tensor: null, modelDigest: DIGEST_C, featureCount: 2 }],
  features: [new Uint16Array(6)],
});

test('a batch survives the round trip: few classes, many, a companion, frames, no exits, no rows', () => {
  const batches = [
    aBatch(),
    aWideBatch(),
    aCompanionBatch,
    aFrameBatch,
    aBatch({ exits: [], features: [] }),
    aBatch({ answerable: [0] }),
    anEmptyBatch,
  ];
  for (const batch of batches) {
    expect(parseSampleBatch(encodeSampleBatch(batch))).toEqual({ ok: true, value: batch });
  }
});

test('the bytes of a batch are fixed', async () => {
  await expect(Buffer.from(encodeSampleBatch(aBatch())).toString('hex')).toMatchFileSnapshot(
    '../../../golden/crds/sample-batch.hex',
  );
});

test('a batch with bytes changed, cut or added at random is refused', () => {
  const original = encodeSampleBatch(aBatch());
  fc.assert(
    fc.property(withDamagedBytes(original), (bytes) => {
      expect(parseSampleBatch(bytes).ok).toBe(false);
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test('a batch whose header differs in one field is refused or read as it stands', () => {
  const { header, blob } = takeApart(encodeSampleBatch(aBatch()));
  for (const text of withOneFieldDamaged(header)) {
    const outcome = parseSampleBatch(writeBinaryFile('LCSB', text, [blob]));
    if (!outcome.ok) continue;
    const again = takeApart(encodeSampleBatch(outcome.value));
    expect(JSON.parse(again.header)).toEqual(JSON.parse(text));
  }
});

const broken: readonly (readonly [rule: string, batch: SampleBatch, message: string])[] = [
  ['rows out of order', aBatch({ sequence: Float64Array.of(2, 2, 8) }), 'does not ascend'],
  ['a row number of zero', aBatch({ sequence: Float64Array.of(0, 5, 8) }), 'does not ascend'],
  ['a fractional row number', aBatch({ sequence: Float64Array.of(2, 2.5, 8) }), 'does not ascend'],
  ['another next row than the last', aBatch({ nextAfter: 9 }), 'nextAfter'],
  ['a class beyond the count', aBatch({ teacherClass: Uint32Array.of(0, 1, 2) }), 'teacherClass'],
  [
    'a top class beyond the count',
    { ...aWideBatch(), teacherTopClasses: new Uint32Array(64).fill(200) },
    'teacherTopClasses',
  ],
  [
    'a probability above one',
    aBatch({ teacherLogProbabilities: Float32Array.of(0.1, 0, 0, 0, 0, 0) }),
    'log-probability',
  ],
  [
    'a probability of nothing',
    aBatch({ teacherLogProbabilities: Float32Array.of(-Infinity, 0, 0, 0, 0, 0) }),
    'log-probability',
  ],
  [
    'features that are not finite',
    aBatch({ features: [new Uint16Array(12).fill(0x7e00)] }),
    'features of exit 0',
  ],
  ['too few features', aBatch({ features: [new Uint16Array(11)] }), 'do not take exactly'],
  ['too many features', aBatch({ features: [new Uint16Array(13)] }), 'do not take exactly'],
  ['fewer rows seen than held', aBatch({ rowsSeen: 2 }), 'rowsSeen'],
  ['another top count than the rule gives', aBatch({ topCount: 1 }), 'topCount'],
  ['an answerable class beyond the count', aBatch({ answerable: [0, 9999] }), 'answerable'],
  ['an exit twice', aBatch({ exits: [aBatch().exits[0]!, aBatch().exits[0]!] }), 'two exits'],
  [
    'an exit of nothing',
    aBatch({ exits: [{ ...aBatch().exits[0]!, tensor: null }] }),
    'exactly one of',
  ],
  [
    'features that are not pool times channels',
    aBatch({ exits: [{ ...aBatch().exits[0]!, featureCount: 5 }] }),
    'pool * pool * channels',
  ],
  [
    'a companion with other features than classes',
    aBatch({ exits: [{ ...aCompanionBatch.exits[0]!, featureCount: 4 }] }),
    'featureCount = classCount',
  ],
];

test.each(broken)('a batch is refused for %s', (_rule, batch, message) => {
  expect(messageOf(encodeSampleBatch(batch))).toContain(message);
});

test('a header whose sizes overflow is refused', () => {
  const exits = [{ ...aBatch().exits[0]!, channels: 262_144, featureCount: 1_048_576 }];
  const batch = aBatch({ exits, rowCount: 50_000, rowsSeen: 50_000 });
  expect(messageOf(encodeSampleBatch(batch))).toContain('do not take exactly');
});

test('all classes are kept up to 128, then 64', () => {
  expect([2, 128, 129, 1000].map(topCountOf)).toEqual([2, 128, 64, 64]);
});
