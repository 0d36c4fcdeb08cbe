/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices are bounded by the shape, checked once in createReferenceTrainer */
import { invariant } from '../../server/core/invariant.ts';
import type { Random } from '../../server/core/random.ts';
import { adamStep, zeroMoments } from './adam.ts';
import type {
  DenseBatch,
  DenseSettings,
  DenseShape,
  DenseTrainer,
  DenseWeights,
} from './dense-trainer.ts';
import { distillationLoss } from './loss.ts';

// The definition of a training step in plain typed arrays: oracle of every faster one.

/** He-uniform weights (He et al. 2015), zero biases. */
export function initialWeights(shape: DenseShape, random: Random): DenseWeights {
  const { featureCount, hidden, classCount } = shape;
  const uniform = (inputs: number, outputs: number): Float32Array => {
    const limit = Math.sqrt(6 / inputs);
    return Float32Array.from(
      { length: inputs * outputs },
      () => (2 * random.uniform() - 1) * limit,
    );
  };
  const first = hidden === 0 ? classCount : hidden;
  return {
    w1: uniform(featureCount, first),
    b1: new Float32Array(first),
    w2: hidden === 0 ? null : uniform(hidden, classCount),
    b2: hidden === 0 ? null : new Float32Array(classCount),
  };
}

/** y = x w + b. @param x [rows, inputs]; @param w [inputs, outputs]. */
function affine(x: Float32Array, w: Float32Array, b: Float32Array): Float32Array {
  const outputs = b.length;
  const inputs = w.length / outputs;
  const y = new Float32Array((x.length / inputs) * outputs);
  const sums = new Float64Array(outputs);
  for (let row = 0; row * inputs < x.length; row++) {
    sums.set(b);
    for (let i = 0; i < inputs; i++) {
      const value = x[row * inputs + i]!;
      if (value === 0) continue;
      for (let o = 0; o < outputs; o++) sums[o]! += value * w[i * outputs + o]!;
    }
    y.set(sums, row * outputs);
  }
  return y;
}

/** Gradients of w and b from those of y = x w + b. */
function affineGradient(
  x: Float32Array,
  dy: Float32Array,
  w: Float32Array,
  rows: number,
): { readonly dw: Float32Array; readonly db: Float32Array } {
  const outputs = dy.length / rows;
  const inputs = w.length / outputs;
  const dw = new Float32Array(w.length);
  const db = new Float32Array(outputs);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outputs; o++) db[o]! += dy[row * outputs + o]!;
    for (let i = 0; i < inputs; i++) {
      const value = x[row * inputs + i]!;
      if (value === 0) continue;
      for (let o = 0; o < outputs; o++) dw[i * outputs + o]! += value * dy[row * outputs + o]!;
    }
  }
  return { dw, db };
}

/** Gradient of the hidden layer before its relu. */
function hiddenGradient(
  dz: Float32Array,
  w2: Float32Array,
  activated: Float32Array,
  rows: number,
): Float32Array {
  const classCount = dz.length / rows;
  const hidden = activated.length / rows;
  const dh = new Float32Array(activated.length);
  for (let row = 0; row < rows; row++) {
    for (let h = 0; h < hidden; h++) {
      if (activated[row * hidden + h]! <= 0) continue;
      let sum = 0;
      for (let c = 0; c < classCount; c++)
        sum += dz[row * classCount + c]! * w2[h * classCount + c]!;
      dh[row * hidden + h] = sum;
    }
  }
  return dh;
}

function rectified(values: Float32Array): Float32Array {
  return values.map((value) => Math.max(0, value));
}

/** Logits [rows, classCount] of standardised rows: z = Wx + b, or z = W2 relu(W1 x + b1) + b2 (exits.md 4.1). */
export function denseLogits(weights: DenseWeights, x: Float32Array): Float32Array {
  const { w1, b1, w2, b2 } = weights;
  const first = affine(x, w1, b1);
  return w2 === null || b2 === null ? first : affine(rectified(first), w2, b2);
}

/** Loss of a batch and the gradients of all weights (mean over rows, without decay). */
export function denseGradient(
  weights: DenseWeights,
  batch: DenseBatch,
  settings: DenseSettings,
): { readonly loss: number; readonly gradient: DenseWeights } {
  const { rows, x } = batch;
  const { w1, b1, w2, b2 } = weights;
  const first = affine(x, w1, b1);
  const mean = (dz: Float32Array): Float32Array => dz.map((value) => value / rows);
  if (w2 === null || b2 === null) {
    const { loss, gradient } = distillationLoss(first, batch, settings);
    const { dw, db } = affineGradient(x, mean(gradient), w1, rows);
    return { loss, gradient: { w1: dw, b1: db, w2: null, b2: null } };
  }
  const activated = rectified(first);
  const { loss, gradient } = distillationLoss(affine(activated, w2, b2), batch, settings);
  const dz = mean(gradient);
  const second = affineGradient(activated, dz, w2, rows);
  const below = affineGradient(x, hiddenGradient(dz, w2, activated, rows), w1, rows);
  return {
    loss,
    gradient: { w1: below.dw, b1: below.db, w2: second.dw, b2: second.db },
  };
}

/** Copies weights, so that nobody writes into another's. */
export function copyWeights({ w1, b1, w2, b2 }: DenseWeights): DenseWeights {
  return { w1: w1.slice(), b1: b1.slice(), w2: w2?.slice() ?? null, b2: b2?.slice() ?? null };
}

/** A training step in typed arrays (about 30 ms for 256 x 512 -> 128 -> 100). Weights that do not fit throw InvariantError. */
export function createReferenceTrainer(
  shape: DenseShape,
  start: DenseWeights,
  settings: DenseSettings,
): Promise<DenseTrainer> {
  const weights = copyWeights(start);
  const first = shape.hidden === 0 ? shape.classCount : shape.hidden;
  invariant(weights.w1.length === shape.featureCount * first, 'weights fit the shape');
  const layers = (of: DenseWeights): Float32Array[] =>
    [of.w1, of.b1, of.w2, of.b2].filter((array) => array !== null);
  const moments = layers(weights).map((array) => zeroMoments(array.length));
  let step = 0;
  return Promise.resolve({
    step: (batch, learningRate) => {
      const { loss, gradient } = denseGradient(weights, batch, settings);
      step += 1;
      const gradients = layers(gradient);
      for (const [i, array] of layers(weights).entries()) {
        // Weights alternate with biases, which do not decay.
        const decay = i % 2 === 0 ? settings.weightDecay : 0;
        adamStep(array, gradients[i]!, moments[i]!, { step, learningRate, decay });
      }
      return Promise.resolve(loss);
    },
    weights: () => copyWeights(weights),
    logits: (of, x) => Promise.resolve(denseLogits(of, x)),
    close: () => Promise.resolve(),
  });
}
