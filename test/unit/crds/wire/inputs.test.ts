import fc from 'fast-check';
import { expect, test } from 'vitest';

import { writeBinaryFile } from '../../../../crds/wire/binary-file.ts';
import {
  encodeInputBatch,
  parseInputBatch,
  type InputBatch,
} from '../../../../crds/wire/inputs.ts';
import { SEED, takeApart, withDamagedBytes, withOneFieldDamaged } from '../damage.ts';
import { aBatch } from '../documents.ts';

function inputs(fields: Partial<InputBatch> = {}): InputBatch {
  return {
    schemaVersion: 1,
    ...{ podUid: 'pod-1', bootId: 'boot-1', backboneDigest: aBatch().backboneDigest },
    ...{ rowShape: [1, 2, 2], rowCount: 2, nextAfter: 9 },
    sequence: Float64Array.of(4, 9),
    inputs: Uint16Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    ...fields,
  };
}

const EMPTY = inputs({
  ...{ rowCount: 0, nextAfter: 3 },
  ...{ sequence: new Float64Array(0), inputs: new Uint16Array(0) },
});

function messageOf(bytes: Uint8Array): string {
  const outcome = parseInputBatch(bytes);
  return outcome.ok ? 'accepted' : outcome.message;
}

test('a batch survives the round trip, with rows and without', () => {
  for (const batch of [inputs(), EMPTY]) {
    expect(parseInputBatch(encodeInputBatch(batch))).toEqual({ ok: true, value: batch });
  }
});

test.each([
  ['rows out of order', { sequence: Float64Array.of(9, 4) }, /does not ascend/],
  ['a row number that is not whole', { sequence: Float64Array.of(0.5, 9) }, /does not ascend/],
  ['another end', { nextAfter: 10 }, /does not ascend in whole numbers to nextAfter/],
  ['an infinity', { inputs: Uint16Array.of(1, 2, 3, 0x7c00, 5, 6, 7, 8) }, /is not finite/],
  ['a row too few', { rowCount: 1 }, /do not take exactly the 32 bytes/],
  ['a shape whose rows cannot be counted', { rowShape: [2 ** 40, 2 ** 40] }, /do not take exactly/],
  ['no shape', { rowShape: [] }, /rowShape/],
] as const)('a batch is refused for %s', (_, fields, message) => {
  expect(messageOf(encodeInputBatch(inputs(fields)))).toMatch(message);
});

test('a batch with bytes changed, cut or added at random is refused', () => {
  const original = encodeInputBatch(inputs());
  fc.assert(
    fc.property(withDamagedBytes(original), (bytes) => {
      expect(parseInputBatch(bytes).ok).toBe(false);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('a batch whose header differs in one field is refused or read as it stands', () => {
  const { header, blob } = takeApart(encodeInputBatch(inputs()));
  for (const text of withOneFieldDamaged(header)) {
    const outcome = parseInputBatch(writeBinaryFile('LCIB', text, [blob]));
    if (!outcome.ok) continue;
    expect(takeApart(encodeInputBatch(outcome.value)).header).toBe(text);
  }
});
