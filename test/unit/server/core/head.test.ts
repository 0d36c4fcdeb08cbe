import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeHalf } from '../../../../crds/wire/half-float.ts';
import type { BundleHead, BundleMatrix } from '../../../../crds/wire/head-bundle.ts';
import { runHead, toHeadWeights, type HeadWeights } from '../../../../server/core/head.ts';
import { InvariantError } from '../../../../server/core/invariant.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { seededRandom, type SeededRandom } from '../../../support/seeded-random.ts';

function normals(random: SeededRandom, count: number, scale = 1): Float32Array {
  return Float32Array.from({ length: count }, () => scale * random.normal());
}

function randomHead(featureCount: number, hidden: number, classCount: number): HeadWeights {
  const random = seededRandom([featureCount, hidden, classCount]);
  const outputs = hidden || classCount;
  return {
    featureCount,
    hidden,
    classCount,
    mean: normals(random, featureCount),
    scale: normals(random, featureCount).map((x) => Math.abs(x) + 0.1),
    w1: normals(random, featureCount * outputs, 1 / Math.sqrt(featureCount)),
    b1: normals(random, outputs),
    w2: hidden ? normals(random, hidden * classCount, 1 / Math.sqrt(hidden)) : null,
    b2: hidden ? normals(random, classCount) : null,
  };
}

/** exits.md 4.1, term by term. */
function naiveLogits(head: HeadWeights, features: ArrayLike<number>): number[] {
  const x = Array.from(head.mean, (mean, i) =>
    Math.max(-8, Math.min(8, (features[i]! - mean) / head.scale[i]!)),
  );
  const layer = (inputs: number[], weights: Float32Array, bias: Float32Array): number[] =>
    Array.from(bias, (b, o) =>
      inputs.reduce((sum, input, i) => sum + input * weights[i * bias.length + o]!, b),
    );
  const first = layer(x, head.w1, head.b1);
  if (head.w2 === null || head.b2 === null) return first;
  return layer(
    first.map((h) => Math.max(0, h)),
    head.w2,
    head.b2,
  );
}

const shapes = fc.record({
  featureCount: fc.integer({ min: 1, max: 40 }),
  hidden: fc.constantFrom(0, 1, 7, 64),
  classCount: fc.integer({ min: 2, max: 12 }),
  seed: fc.integer(),
});

describe('logits', () => {
  test('they equal the plain loop to 1e-6', () => {
    fc.assert(
      fc.property(shapes, ({ featureCount, hidden, classCount, seed }) => {
        const head = randomHead(featureCount, hidden, classCount);
        const features = normals(seededRandom(seed), 3 * featureCount, 4);
        const logits = runHead(head, features, 3);
        for (let row = 0; row < 3; row++)
          expectClose(
            logits.subarray(row * classCount, (row + 1) * classCount),
            naiveLogits(head, features.subarray(row * featureCount, (row + 1) * featureCount)),
            { abs: 1e-6, rel: 1e-6 },
          );
      }),
      { seed: 20_260_105, numRuns: 100 },
    );
  });

  test('a row has the same logits alone and in a batch', () => {
    const head = randomHead(10, 64, 5);
    const features = normals(seededRandom(1), 40);
    const batch = runHead(head, features, 4);
    for (let row = 0; row < 4; row++)
      expect([...runHead(head, features.subarray(row * 10, row * 10 + 10), 1)]).toEqual([
        ...batch.subarray(row * 5, row * 5 + 5),
      ]);
  });

  test('standardised features are cut at 8 on both sides', () => {
    const head: HeadWeights = {
      ...randomHead(1, 0, 2),
      mean: Float32Array.of(1),
      scale: Float32Array.of(2),
      w1: Float32Array.of(1, -1),
      b1: Float32Array.of(0, 0),
    };
    expect([...runHead(head, Float32Array.of(1000, -1000, 17, -15, 3), 5)]).toEqual([
      8, -8, -8, 8, 8, -8, -8, 8, 1, -1,
    ]);
  });

  test.each([NaN, Infinity, -Infinity])(
    'a feature of %s makes every logit of its row NaN and leaves the other rows alone',
    (feature) => {
      const head = randomHead(5, 7, 3);
      const features = normals(seededRandom(2), 15);
      const clean = runHead(head, features, 3);
      features[7] = feature;
      const logits = runHead(head, features, 3);
      expect([...logits.subarray(3, 6)]).toEqual([NaN, NaN, NaN]);
      expect([...logits.subarray(0, 3), ...logits.subarray(6)]).toEqual([
        ...clean.subarray(0, 3),
        ...clean.subarray(6),
      ]);
    },
  );

  test('a weight that is not a number is not hidden by the rectifier', () => {
    const head = randomHead(4, 7, 3);
    head.w1.fill(NaN);
    expect([...runHead(head, new Float32Array(4), 1)]).toEqual([NaN, NaN, NaN]);
  });

  test('no rows have no logits', () => {
    expect(runHead(randomHead(4, 0, 3), new Float32Array(0), 0).length).toBe(0);
  });

  test('features of another length are refused', () => {
    expect(() => runHead(randomHead(4, 0, 3), new Float32Array(7), 2)).toThrow(InvariantError);
  });
});

function int8(rows: number, columns: number): BundleMatrix {
  const values = Int8Array.from({ length: rows * columns }, (_, i) => ((i * 37) % 255) - 127);
  return { type: 'int8', rows, columns, values, scales: new Float32Array(columns).fill(0.5) };
}

function float16(rows: number, columns: number): BundleMatrix {
  const weights = Float32Array.from({ length: rows * columns }, (_, i) => i / 4);
  return { type: 'float16', rows, columns, values: encodeHalf(weights) };
}

function aBundleHead(changes: Partial<BundleHead> = {}): BundleHead {
  return {
    exit: 'early',
    tensor: 't',
    modelDigest: null,
    pool: 1,
    hidden: 0,
    featureCount: 3,
    mean: new Float32Array(3),
    scale: new Float32Array(3).fill(1),
    w1: int8(3, 2),
    b1: new Float32Array(2),
    w2: null,
    b2: null,
    score: { features: [], mean: [], scale: [], weights: [], intercept: 0 },
    temperature: 1,
    knownAnswers: { seed: 1, classes: [], scoreLogits: [] },
    ...changes,
  };
}

const twoLayers: Partial<BundleHead> = {
  hidden: 64,
  w1: float16(3, 64),
  b1: new Float32Array(64),
  w2: float16(64, 2),
  b2: new Float32Array(2),
};

describe('heads of a bundle', () => {
  test('int8 weights come back as value times the scale of their column', () => {
    const head = toHeadWeights(aBundleHead(), 2);
    expect([...head.w1]).toEqual([-63.5, -45, -26.5, -8, 10.5, 29]);
    expect([head.w2, head.hidden, head.classCount]).toEqual([null, 0, 2]);
  });

  test('fp16 weights come back exactly where they are halves', () => {
    const head = toHeadWeights(aBundleHead(twoLayers), 2);
    expect([...head.w1.subarray(0, 3)]).toEqual([0, 0.25, 0.5]);
    expect(head.w2?.length).toBe(128);
  });

  test.each<[string, Partial<BundleHead>]>([
    ['a companion', { tensor: null, modelDigest: 'sha256:00', w1: null, b1: null }],
    ['a second layer without hidden units', { w2: float16(2, 2), b2: new Float32Array(2) }],
    ['hidden units without a second layer', { hidden: 64 }],
    ['a mean of another length', { mean: new Float32Array(2) }],
    ['a scale of another length', { scale: new Float32Array(2) }],
    ['weights of another shape', { w1: int8(2, 2) }],
    ['a bias of another length', { b1: new Float32Array(3) }],
    ['a second layer of another shape', { ...twoLayers, w2: float16(63, 2) }],
    ['a second bias of another length', { ...twoLayers, b2: new Float32Array(1) }],
    ['a second layer without bias', { ...twoLayers, b2: null }],
  ])('%s is refused', (_, changes) => {
    expect(() => toHeadWeights(aBundleHead(changes), 2)).toThrow(InvariantError);
  });
});
