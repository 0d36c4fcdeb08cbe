import fc from 'fast-check';
import { expect, test } from 'vitest';

import { writeBinaryFile } from '../../../../crds/wire/binary-file.ts';
import { crc32 } from '../../../../crds/wire/crc32.ts';
import {
  dequantize,
  encodeHeadBundle,
  parseHeadBundle,
  type BundleHead,
  type HeadBundle,
} from '../../../../crds/wire/head-bundle.ts';
import { WIRE_LIMITS } from '../../../../crds/wire/limits.ts';
import { openRecord } from '../../../promises/open-record.ts';
import { SEED, takeApart, withDamagedBytes, withOneFieldDamaged } from '../damage.ts';
import { aBundle, aCompanion, aDeepHead, aHead } from '../documents.ts';

const recordFlips = openRecord('wrong-bundles');

function messageOf(bytes: Uint8Array): string {
  const outcome = parseHeadBundle(bytes);
  return outcome.ok ? 'accepted' : outcome.message;
}

/** The same file with another manifest or blob and a checksum that fits: what only the later checks can find. */
function rebuilt(
  bundle: HeadBundle,
  edit: (manifest: string, blob: Uint8Array) => string,
): Uint8Array {
  const { header: manifest, blob } = takeApart(encodeHeadBundle(bundle));
  return writeBinaryFile('LCHB', edit(manifest, blob), [blob]);
}

function sealed(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 4;
  Buffer.from(bytes.buffer).writeUInt32LE(crc32(bytes.subarray(0, end)), end);
  return bytes;
}

test('a bundle of int8, half float and companion heads survives the round trip', () => {
  const bundles = [aBundle(), aBundle({ heads: [aCompanion(), aHead(), aDeepHead()] })];
  for (const bundle of bundles) {
    expect(parseHeadBundle(encodeHeadBundle(bundle))).toEqual({ ok: true, value: bundle });
  }
});

test('the bytes of a bundle are fixed and hold ASCII only before the blob', async () => {
  const bytes = encodeHeadBundle(aBundle());
  expect(takeApart(bytes).header).toContain('bl\\u00f6ck/out');
  await expect(Buffer.from(bytes).toString('hex')).toMatchFileSnapshot(
    '../../../golden/crds/head-bundle.hex',
  );
});

test('every single-bit flip of a small bundle is refused', () => {
  const bytes = encodeHeadBundle(aBundle());
  let accepted = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    if (parseHeadBundle(bytes).ok) accepted++;
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  recordFlips({ flips: bytes.length * 8, accepted });
  expect(accepted).toBe(0);
});

test('a bundle with bytes changed, cut or added at random is refused', () => {
  const original = encodeHeadBundle(aBundle());
  fc.assert(
    fc.property(withDamagedBytes(original), (bytes) => {
      expect(parseHeadBundle(bytes).ok).toBe(false);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test('a bundle whose manifest differs in one field is refused or read as it stands', () => {
  const { header: manifest, blob } = takeApart(
    encodeHeadBundle(aBundle({ heads: [aHead(), aDeepHead()] })),
  );
  for (const text of withOneFieldDamaged(manifest)) {
    const bytes = writeBinaryFile('LCHB', text, [blob]);
    const outcome = parseHeadBundle(bytes);
    if (!outcome.ok) continue;
    // What is accepted is a bundle with other figures, and says exactly what its file says.
    const again = takeApart(encodeHeadBundle(outcome.value));
    expect(JSON.parse(again.header)).toEqual(JSON.parse(JSON.stringify(JSON.parse(text))));
  }
});

test('the frame is checked before anything is read', () => {
  const bytes = encodeHeadBundle(aBundle());
  const changed = (offset: number, value: number): Uint8Array => {
    const copy = Uint8Array.from(bytes);
    copy[offset] = value;
    return copy;
  };
  expect(messageOf(new Uint8Array(15))).toContain('too few for a header');
  expect(messageOf(changed(0, 0x58))).toContain('does not start with LCHB');
  expect(messageOf(changed(0, 0xff))).toContain('does not start with LCHB');
  expect(messageOf(changed(4, 2))).toContain('its version is 2');
  expect(messageOf(changed(11, 0x7f))).toContain(
    `at most ${WIRE_LIMITS.headManifestBytes} are allowed`,
  );
  expect(messageOf(changed(10, 1))).toContain('runs past its end');
  expect(messageOf(changed(20, 0xff))).toContain('checksum');
  expect(messageOf(sealed(changed(20, 0xff)))).toContain('its header is not ASCII');
  expect(messageOf(new Uint8Array(WIRE_LIMITS.headBundleBytes + 1))).toContain('at most 67108864');
});

test('a manifest that is no JSON or of another version is refused', () => {
  expect(messageOf(rebuilt(aBundle(), () => '{'))).toContain('not JSON');
  expect(messageOf(rebuilt(aBundle(), () => '{"schemaVersion":2}'))).toContain(
    'this program reads 1',
  );
});

const replaced: readonly (readonly [rule: string, from: string, to: string, message: string])[] = [
  [
    'a hole in the blob',
    '"bytes":6,"dtype":"int8","offset":24',
    '"bytes":6,"dtype":"int8","offset":25',
    'hole',
  ],
  [
    'bytes that are not shape times dtype',
    '"bytes":6,"dtype":"int8"',
    '"bytes":5,"dtype":"int8"',
    'not its shape',
  ],
  ['a wrong shape', '"shape":[3,2]', '"shape":[2,3]', 'expected [3,2]'],
  ['a product beyond 2^53', '"featureCount":3', '"featureCount":9007199254740992', 'featureCount'],
  [
    'a wrong dtype',
    '"bytes":12,"dtype":"float32","offset":0',
    '"bytes":12,"dtype":"int8","offset":0',
    'has dtype int8',
  ],
  [
    'a missing array',
    '"b1":{"bytes":8,"dtype":"float32","offset":38,"shape":[2]}',
    '"b1":null',
    'b1 is missing',
  ],
  [
    'a missing scale of int8',
    '"scales":{"bytes":8,"dtype":"float32","offset":30,"shape":[2]}',
    '"scales":null',
    'scales is missing',
  ],
  [
    'neither tensor nor model',
    '"tensor":"bl\\u00f6ck/out"',
    '"tensor":null',
    'exactly one of tensor, modelDigest',
  ],
  ['a known class beyond the count', '"classes":[0,1', '"classes":[0,2', 'beyond classCount'],
  ['scores without a weight each', '"weights":[2]', '"weights":[]', 'one number per feature'],
  ['an array of a size of zero', '"shape":[3]', '"shape":[0]', 'shape[0]'],
];

test.each(replaced)('a bundle is refused for %s', (_rule, from, to, message) => {
  const bytes = rebuilt(aBundle(), (manifest) => {
    expect(manifest).toContain(from);
    return manifest.replace(from, to);
  });
  expect(messageOf(bytes)).toContain(message);
});

/** A head of twelve inputs. */
function aComparingHead(changes: Partial<BundleHead> = {}): BundleHead {
  const inputs = 12;
  return aHead({
    ...{ exit: 'still', compares: 'PreviousFrame', pool: 1, featureCount: inputs },
    mean: new Float32Array(inputs),
    scale: new Float32Array(inputs).fill(1),
    w1: { type: 'float16', rows: inputs, columns: 2, values: new Uint16Array(2 * inputs) },
    ...changes,
  });
}

test('a head that compares frames survives the round trip, and has no other inputs', () => {
  const bundle = aBundle({ heads: [aComparingHead()] });
  expect(parseHeadBundle(encodeHeadBundle(bundle))).toEqual({ ok: true, value: bundle });
  const refusal = (...heads: BundleHead[]): string =>
    messageOf(encodeHeadBundle(aBundle({ heads })));
  const inputs = 'a comparison of frames has pool 1 and featureCount 12';
  expect(refusal(aHead({ compares: 'PreviousFrame' }))).toContain(inputs);
  expect(refusal(aComparingHead({ pool: 2 }))).toContain(inputs);
  expect(refusal({ ...aCompanion(), compares: 'PreviousFrame' })).toContain(
    'a companion has no frames to compare',
  );
  expect(refusal(aComparingHead(), aComparingHead({ exit: 'other', tensor: 'other' }))).toContain(
    'two heads compare frames',
  );
});

test('bytes of the blob that nothing names are refused', () => {
  const { header: manifest, blob } = takeApart(encodeHeadBundle(aBundle()));
  const bytes = writeBinaryFile('LCHB', manifest, [blob, new Uint8Array(1)]);
  expect(messageOf(bytes)).toContain('the arrays take 46 bytes, the blob has 47');
});

test('an array that the shape does not use is refused', () => {
  const { w1 } = aHead();
  expect(messageOf(encodeHeadBundle(aBundle({ heads: [aHead({ w2: w1 })] })))).toContain(
    'does not use',
  );
  expect(messageOf(encodeHeadBundle(aBundle({ heads: [{ ...aCompanion(), w1 }] })))).toContain(
    'does not use',
  );
});

test('a companion has as many features as classes', () => {
  const heads = [{ ...aCompanion(), featureCount: 5 }];
  expect(messageOf(encodeHeadBundle(aBundle({ heads })))).toContain('featureCount = classCount');
});

test('two heads of one exit or tensor are refused', () => {
  expect(messageOf(encodeHeadBundle(aBundle({ heads: [aHead(), aHead()] })))).toContain(
    'same exit',
  );
  const heads = [aHead(), aHead({ exit: 'other' })];
  expect(messageOf(encodeHeadBundle(aBundle({ heads })))).toContain('same tensor or model');
});

test('weights, biases and scales must be finite, feature scales above zero', () => {
  const vector = (...values: number[]): Float32Array => Float32Array.from(values);
  const w1 = aHead().w1!;
  const deep = aDeepHead();
  const infinite = {
    type: 'float16',
    rows: 64,
    columns: 2,
    values: new Uint16Array(128).fill(0x7c00),
  } as const;
  const broken = [
    aHead({ mean: vector(0, NaN, 0) }),
    aHead({ scale: vector(1, 0, 1) }),
    aHead({ scale: vector(1, Infinity, 1) }),
    aHead({ b1: vector(0, Infinity) }),
    { ...deep, b2: vector(NaN, 0) },
    { ...deep, w2: infinite },
    w1.type === 'int8' ? aHead({ w1: { ...w1, scales: vector(1, NaN) } }) : deep,
    w1.type === 'int8' ? aHead({ w1: { ...w1, scales: vector(1, -1) } }) : deep,
  ];
  for (const head of broken) {
    expect(messageOf(encodeHeadBundle(aBundle({ heads: [head] })))).toMatch(/finite/);
  }
});

test('int8 weights are multiplied by the scale of their column, half floats are their values', () => {
  expect(dequantize(aHead().w1!)).toEqual(
    Float32Array.of(-64, -0.0078125, 0, 0.0078125, 32, 127 / 128),
  );
  expect([...dequantize(aDeepHead().w1!)].slice(0, 8)).toEqual([-3, -2, -1, 0, 1, 2, 3, -3]);
});

test('the bytes may be reused after parsing, and may lie at any offset', () => {
  const bytes = encodeHeadBundle(aBundle());
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  const outcome = parseHeadBundle(shifted.subarray(3));
  shifted.fill(0);
  expect(outcome).toEqual({ ok: true, value: aBundle() });
});
