// Heads of zeros: what a head costs does not depend on its numbers.
import type { BundleMatrix, ScoreCoefficients } from '../../../crds/wire/head-bundle.ts';
import type { HeadShape, PreparedHead, SegmentEngine } from '../segment-engine.ts';

export const MEASURING_SCORE: ScoreCoefficients = {
  features: ['logitMax'],
  mean: [0],
  scale: [1],
  weights: [1],
  intercept: 0,
};

export function measuringHead(
  engine: SegmentEngine,
  shape: HeadShape,
  classCount: number,
): PreparedHead {
  const { hidden, featureCount, pool } = shape;
  const first = hidden === 0 ? classCount : hidden;
  return engine.prepareHead({
    exit: 'measured',
    tensor: 'measured',
    modelDigest: null,
    pool,
    hidden,
    featureCount,
    mean: new Float32Array(featureCount),
    scale: new Float32Array(featureCount).fill(1),
    w1: zeros(featureCount, first),
    b1: new Float32Array(first),
    w2: hidden === 0 ? null : zeros(hidden, classCount),
    b2: hidden === 0 ? null : new Float32Array(classCount),
    score: MEASURING_SCORE,
    temperature: 1,
    knownAnswers: { seed: 0, classes: [], scoreLogits: [] },
  });
}

function zeros(rows: number, columns: number): BundleMatrix {
  return { type: 'float16', rows, columns, values: new Uint16Array(rows * columns) };
}
