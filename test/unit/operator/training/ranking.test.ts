import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { scoreLogit } from '../../../../server/core/score.ts';
import { agreement } from '../../../../operator/training/agreement.ts';
import { auroc } from '../../../../operator/training/auroc.ts';
import { fitLogistic, fitScore, fitTemperature } from '../../../../operator/training/calibrate.ts';
import { lowRiskCoverage } from '../../../../operator/training/coverage.ts';
import { bytesOf, createSha256, textBytes } from '../../../../operator/training/sha256.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

/** Every pair, by definition. */
function slowAuroc(scores: readonly number[], positives: readonly number[]): number {
  let wins = 0;
  let pairs = 0;
  for (const [i, a] of scores.entries()) {
    for (const [j, b] of scores.entries()) {
      if (positives[i] !== 1 || positives[j] !== 0) continue;
      pairs += 1;
      wins += a > b ? 1 : a === b ? 0.5 : 0;
    }
  }
  return pairs === 0 ? 0.5 : wins / pairs;
}

describe('auroc', () => {
  test('equals the count over all pairs, ties half', () => {
    const row = fc.tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: 0, max: 1 }));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
        const scores = rows.map(([score]) => score);
        const positives = rows.map(([, positive]) => positive);
        expectClose(auroc(scores, positives), slowAuroc(scores, positives), { abs: 1e-12 });
      }),
      { seed: 7 },
    );
  });

  test('ranks NaN lowest', () => {
    expect(auroc([NaN, -Infinity, 3], [0, 0, 1])).toBe(1);
    expect(auroc([NaN, 3], [1, 0])).toBe(0);
  });
});

describe('coverage at low risk', () => {
  test('is the mean share of rows above the first disagreements', () => {
    // Two disagreements wanted (2 * 0.1 * 10), found below 4 and below 7 rows.
    const agrees = [1, 1, 1, 1, 0, 1, 1, 0, 1, 1];
    const scores = agrees.map((_, i) => 10 - i);
    expectClose(lowRiskCoverage(scores, agrees, 0.1), (0.4 + 0.7) / 2, { abs: 1e-12 });
  });

  test('counts disagreements that are not there as after the last row', () => {
    expect(lowRiskCoverage([1, 2, 3], [1, 1, 1], 0.01)).toBe(1);
    expectClose(lowRiskCoverage([4, 3, 2, 1], [1, 0, 1, 1], 0.25), (0.25 + 1) / 2, { abs: 1e-12 });
  });

  test('breaks ties by row and ranks NaN last', () => {
    expect(lowRiskCoverage([NaN, 1], [0, 1], 0.01)).toBe(0.5);
    expect(lowRiskCoverage([1, 1], [0, 1], 0.01)).toBe(0);
    expect(lowRiskCoverage([1, NaN], [1, 0], 0.01)).toBe(0.5);
    expect(lowRiskCoverage([2, 3], [0, 1], 0.01)).toBe(0.5);
  });
});

describe('the logistic fit', () => {
  const x = [-2, -1, 0, 1, 2, 3, 4];

  test('is that of the design for its worked example', () => {
    // Golden numbers: exits.md 4.4.
    const { intercept, weights, mean, scale } = fitLogistic([x], [0, 1, 0, 1, 0, 1, 1]);
    expectClose(intercept, 0.3548376983, { abs: 1e-8 });
    expectClose(weights, [0.9901431349], { abs: 1e-8 });
    expectClose(mean, [1], { abs: 1e-12 });
    expectClose(scale, [2], { abs: 1e-12 });
  });

  test('converges on separable data and on data of one class', () => {
    const separable = fitLogistic([x], [0, 0, 0, 1, 1, 1, 1]);
    expect(separable.weights[0]).toBeGreaterThan(2);
    expect(Number.isFinite(separable.intercept)).toBe(true);
    const single = fitLogistic([x], [1, 1, 1, 1, 1, 1, 1]);
    expect(single.intercept).toBeGreaterThan(5);
    expect(Number.isFinite(single.intercept)).toBe(true);
  });

  test('a constant feature gets scale 1 and no weight', () => {
    const { scale, weights } = fitLogistic([[3, 3, 3, 3]], [0, 1, 1, 1]);
    expect(scale).toEqual([1]);
    expectClose(weights, [0], { abs: 1e-12 });
  });

  test('halves a step that would overshoot: extreme features do not diverge', () => {
    const column = [...Array<number>(60).fill(0), 1e4];
    const y = column.map((_, i) => (i % 30 === 0 ? 1 : 0));
    const fit = fitLogistic([column, column.map((v, i) => v + i * 1e3)], y);
    expect([...fit.weights, fit.intercept].every(Number.isFinite)).toBe(true);
  });
});

describe('the score', () => {
  const classCount = 3;

  /** Heads that are sure exactly where they are right. */
  function someLogits(rows: number): { logits: Float32Array; agrees: Uint8Array } {
    const random = seededRandom(4);
    const agrees = Uint8Array.from({ length: rows }, () => (random.uniform() < 0.8 ? 1 : 0));
    const logits = new Float32Array(rows * classCount);
    agrees.forEach((agree, row) => {
      logits[row * classCount] = (agree === 1 ? 3 : 1) + random.normal();
      logits[row * classCount + 1] = random.normal() * 0.2;
    });
    return { logits, agrees };
  }

  test('rises with the head that is sure, on the largest probability alone when that ranks as well', () => {
    const { logits, agrees } = someLogits(600);
    const { coefficients, auroc: ranking } = fitScore(logits, classCount, agrees);
    expect(coefficients.features[0]).toBe('logitMax');
    expect(ranking).toBeGreaterThan(0.8);
    const sure = scoreLogit(Float32Array.of(5, 0, 0), 0, classCount, coefficients);
    const unsure = scoreLogit(Float32Array.of(0.5, 0.4, 0), 0, classCount, coefficients);
    expect(sure).toBeGreaterThan(unsure);
  });

  test('takes in a further feature where the ranking gains', () => {
    // Largest probabilities of one distribution, told apart by the runner-up alone.
    const rows = 400;
    const random = seededRandom(2);
    const agrees = Uint8Array.from({ length: rows }, (_, row) => row % 2);
    const logits = new Float32Array(rows * classCount);
    agrees.forEach((agree, row) => {
      const first = 0.5 + 0.05 * random.uniform();
      const other = agree === 1 ? [0.5, 0.5] : [0.98, 0.02];
      logits.set([first, ...other.map((p) => p * (1 - first))].map(Math.log), row * classCount);
    });
    const { coefficients, auroc: ranking } = fitScore(logits, classCount, agrees);
    expect(coefficients.features.length).toBeGreaterThan(1);
    expect(ranking).toBeGreaterThan(0.95);
  });

  test('the temperature undoes a scale, and stays within its range', () => {
    const random = seededRandom(6);
    const rows = 4000;
    const z = Float32Array.from({ length: rows * classCount }, () => 2 * random.normal());
    const classes = Uint32Array.from({ length: rows }, (_, row) => {
      const weights = [0, 1, 2].map((c) => Math.exp(z[row * classCount + c]!));
      let draw = random.uniform() * weights.reduce((a, b) => a + b, 0);
      return weights.findIndex((w) => (draw -= w) < 0);
    });
    const scaled = z.map((value) => 2 * value);
    expectClose(fitTemperature(z, classCount, classes), 1, { rel: 0.05 });
    expectClose(fitTemperature(scaled, classCount, classes), 2, { rel: 0.05 });
    expectClose(
      fitTemperature(
        z.map((v) => 100 * v),
        classCount,
        classes,
      ),
      5,
      { rel: 1e-3 },
    );
  });

  test('agreement counts classes and takes ties to the lowest', () => {
    const found = agreement(Float32Array.of(1, 1, 0, 0, 0, 2), Uint32Array.of(0, 1), {
      classCount,
      budget: 0.01,
    });
    expect([...found.agrees]).toEqual([1, 0]);
    expect(found.disagreements).toBe(1);
  });
});

describe('sha-256', () => {
  test('equals that of node:crypto at every length around a block', () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
      const half = Math.floor(length / 3);
      const ours = createSha256()
        .update(bytes.subarray(0, half))
        .update(bytes.subarray(half))
        .hex();
      expect(ours).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
  });

  test('text and typed arrays become their bytes', () => {
    expect([...textBytes('a\u0101')]).toEqual([97, 0, 1, 1]);
    expect([...bytesOf(Uint16Array.of(1, 2, 3).subarray(1))]).toEqual([2, 0, 3, 0]);
  });
});
