import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScoreCoefficients } from '../../../../crds/wire/head-bundle.ts';
import {
  argmax,
  calibratedOutput,
  scoreFeatures,
  scoreLogit,
  scoreRow,
} from '../../../../server/core/score.ts';
import { expectClose } from '../../../support/expect-close.ts';

const SEED = 20_260_103;
const COEFFICIENTS: ScoreCoefficients = {
  features: ['entropy', 'logitMax'],
  mean: [0.5, 1],
  scale: [0.25, 2],
  weights: [-0.5, 2],
  intercept: 0.3,
};
const logitRow = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), {
  minLength: 2,
  maxLength: 12,
});

function softmax(logits: readonly number[]): number[] {
  const sum = logits.reduce((total, z) => total + Math.exp(z), 0);
  return logits.map((z) => Math.exp(z) / sum);
}

describe('features', () => {
  test('logits (1, 1.5, 0) have the features of exits.md 4.4', () => {
    const { logitMax, margin, entropy } = scoreFeatures([1, 1.5, 0], 0, 3);
    expectClose([logitMax, margin, entropy], [0.186738312, 0.215050427, 0.86728282], {
      abs: 5e-10,
    });
  });

  test('they are those of the plain softmax', () => {
    fc.assert(
      fc.property(logitRow, (logits) => {
        const p = softmax(logits).sort((a, b) => b - a);
        const entropy = p.reduce((sum, x) => sum - (x > 0 ? x * Math.log(x) : 0), 0);
        const features = scoreFeatures(logits, 0, logits.length);
        const others = p.slice(1).reduce((sum, x) => sum + x, 0);
        const logit = Math.max(-15, Math.min(15, Math.log(p[0]! / others)));
        expectClose(features.logitMax, logit, { abs: 1e-6 });
        expectClose(features.margin, p[0]! - p[1]!, { abs: 1e-12 });
        expectClose(features.entropy, entropy / Math.log(p.length), { abs: 1e-12 });
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('the logit of the largest probability stays within 15, also where the others vanish', () => {
    expect(scoreFeatures([0, 1000], 0, 2)).toEqual({ logitMax: 15, margin: 1, entropy: 0 });
    expect(scoreFeatures(new Float32Array(2 ** 23), 0, 2 ** 23).logitMax).toBe(-15);
  });

  test('equal logits have margin 0 and entropy 1', () => {
    const { margin, entropy } = scoreFeatures([3, 3, 3], 0, 3);
    expect(margin).toBe(0);
    expectClose(entropy, 1, { abs: 1e-15 });
  });

  test('the row starts at the offset and ends after its classes', () => {
    expect(scoreFeatures([99, 1, 1.5, 0, 99], 1, 3)).toEqual(scoreFeatures([1, 1.5, 0], 0, 3));
  });

  test.each([NaN, Infinity, -Infinity])('a logit of %s makes every feature NaN', (z) => {
    const none = { logitMax: NaN, margin: NaN, entropy: NaN };
    expect(scoreFeatures([1, z, 2], 0, 3)).toEqual(none);
    expect(scoreFeatures([z, 1, 2], 0, 3)).toEqual(none);
  });

  test('fewer than two classes and a row that ends early have no features', () => {
    expect(scoreFeatures([1], 0, 1).logitMax).toBeNaN();
    expect(scoreFeatures([1, 2], 0, 3).logitMax).toBeNaN();
  });
});

describe('score', () => {
  test('it is the logistic function of the standardised features in their listed order', () => {
    const { logitMax, entropy } = scoreFeatures([1, 1.5, 0], 0, 3);
    const logit = 0.3 - (0.5 * (entropy - 0.5)) / 0.25 + (2 * (logitMax - 1)) / 2;
    expectClose(scoreLogit([1, 1.5, 0], 0, 3, COEFFICIENTS), logit, { abs: 1e-14 });
    expectClose(scoreRow([1, 1.5, 0], 0, 3, COEFFICIENTS), 1 / (1 + Math.exp(-logit)), {
      abs: 1e-15,
    });
  });

  test('without features it is the intercept', () => {
    const constant = { features: [], mean: [], scale: [], weights: [], intercept: 0 };
    expect(scoreRow([1, 2], 0, 2, constant)).toBe(0.5);
  });

  test.each([NaN, Infinity, -Infinity])('a logit of %s gives a NaN score', (z) => {
    expect(scoreRow([1, z], 0, 2, COEFFICIENTS)).toBeNaN();
  });

  test('coefficients that are not finite, or a scale of 0, give a NaN score', () => {
    expect(scoreRow([1, 2], 0, 2, { ...COEFFICIENTS, intercept: Infinity })).toBeNaN();
    expect(scoreRow([1, 2], 0, 2, { ...COEFFICIENTS, weights: [1] })).toBeNaN();
    expect(scoreRow([1, 2], 0, 2, { ...COEFFICIENTS, scale: [0.25, 0] })).toBeNaN();
  });

  test('it lies in 0..1', () => {
    fc.assert(
      fc.property(logitRow, (logits) => {
        const q = scoreRow(logits, 0, logits.length, COEFFICIENTS);
        expect(q > 0 && q < 1).toBe(true);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});

describe('class', () => {
  test('ties go to the lowest index', () => {
    expect(argmax([1, 3, 3, 2], 0, 4)).toBe(1);
  });

  test('the row starts at the offset', () => {
    expect(argmax([9, 9, 1, 2, 9], 2, 2)).toBe(1);
  });

  test('NaN never wins, and a row of NaN names class 0', () => {
    expect(argmax([NaN, 1, NaN], 0, 3)).toBe(1);
    expect(argmax([NaN, NaN], 0, 2)).toBe(0);
  });
});

describe('reported output', () => {
  const logits = [7, 1, 1.5, 0];

  test('logits are divided by the temperature', () => {
    const output = calibratedOutput(logits, 1, 3, { temperature: 2, kind: 'Logits' });
    expect([...output]).toEqual([0.5, 0.75, 0]);
  });

  test('probabilities are their softmax and sum to 1', () => {
    const output = calibratedOutput(logits, 1, 3, { temperature: 2, kind: 'Probabilities' });
    expectClose(output, softmax([0.5, 0.75, 0]), { abs: 1e-7 });
  });

  test('log-probabilities are its logarithm, also where the probability underflows', () => {
    const calibration = { temperature: 1, kind: 'LogProbabilities' } as const;
    expectClose(calibratedOutput([0, -2000], 0, 2, calibration), [0, -2000], { abs: 1e-12 });
    const row = calibratedOutput(logits, 1, 3, calibration);
    expectClose(row, softmax([1, 1.5, 0]).map(Math.log), { abs: 1e-6 });
  });
});
