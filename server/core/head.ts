/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
import { dequantize, type BundleHead } from '../../crds/wire/head-bundle.ts';
import { invariant } from './invariant.ts';

/** A head ready to run: plain fp32, weights row-major [inputs][outputs]. Immutable; a swap replaces the object. */
export interface HeadWeights {
  readonly featureCount: number;
  /** 0: one linear layer, w2 and b2 are null. */
  readonly hidden: number;
  readonly classCount: number;
  readonly mean: Float32Array;
  readonly scale: Float32Array;
  /** [featureCount, hidden or classCount] */
  readonly w1: Float32Array;
  readonly b1: Float32Array;
  /** [hidden, classCount] */
  readonly w2: Float32Array | null;
  readonly b2: Float32Array | null;
}

/** Standardised features are cut at +-8 (exits.md 4.1). */
export const FEATURE_LIMIT = 8;

/** Dequantises a head of a bundle. A companion has no weights, and shapes that do not fit are a bug: InvariantError. */
export function toHeadWeights(head: BundleHead, classCount: number): HeadWeights {
  const { exit, featureCount, hidden, mean, scale, w1, b1, w2, b2 } = head;
  invariant(w1 !== null && b1 !== null, `exit ${exit} is a companion: it has no weights to run`);
  invariant(
    (w2 === null) === (hidden === 0),
    `exit ${exit}: second layer against hidden ${hidden}`,
  );
  const weights: HeadWeights = {
    featureCount,
    hidden,
    classCount,
    mean,
    scale,
    w1: dequantize(w1),
    b1,
    w2: w2 && dequantize(w2),
    b2,
  };
  checkShapes(weights, exit);
  return weights;
}

function checkShapes(head: HeadWeights, exit: string): void {
  const { featureCount, hidden, classCount } = head;
  const firstOutputs = hidden === 0 ? classCount : hidden;
  const hasShape =
    head.mean.length === featureCount &&
    head.scale.length === featureCount &&
    head.w1.length === featureCount * firstOutputs &&
    head.b1.length === firstOutputs;
  const hasSecond =
    hidden === 0 || (head.w2?.length === hidden * classCount && head.b2?.length === classCount);
  invariant(
    hasShape && hasSecond,
    `exit ${exit}: weights do not fit ${featureCount} -> ${hidden} -> ${classCount}`,
  );
}

/**
 * Logits of a head: x = clip((f - mean) / scale, +-8); z = Wx + b, or z = W2 relu(W1 x + b1) + b2 (exits.md 4.1).
 * @param features [rows, featureCount]; @returns [rows, classCount].
 * Sums are kept in double precision, rows do not influence each other. A non-finite feature makes every logit of its row
 * NaN (an infinite one would hide behind the clip), so that the row runs on to the backbone.
 */
export function runHead(head: HeadWeights, features: Float32Array, rows: number): Float32Array {
  const { featureCount, hidden, classCount, w1, b1, w2, b2 } = head;
  invariant(
    features.length === rows * featureCount,
    `${features.length} features for ${rows} rows of ${featureCount}`,
  );
  const logits = new Float32Array(rows * classCount);
  const inputs = new Float64Array(featureCount);
  const outputs = new Float64Array(classCount);
  const middle = new Float64Array(hidden);
  for (let row = 0; row < rows; row++) {
    if (!standardiseRow(head, features, row * featureCount, inputs)) {
      logits.fill(NaN, row * classCount, (row + 1) * classCount);
      continue;
    }
    if (w2 === null || b2 === null) {
      multiply(inputs, w1, b1, outputs);
    } else {
      multiply(inputs, w1, b1, middle);
      rectify(middle);
      multiply(middle, w2, b2, outputs);
    }
    logits.set(outputs, row * classCount);
  }
  return logits;
}

/** Writes the standardised features of the row that starts at `offset`; false, and nothing of use written, when one is not finite. */
export function standardiseRow(
  head: Pick<HeadWeights, 'mean' | 'scale'>,
  features: Float32Array,
  offset: number,
  inputs: Float64Array | Float32Array,
): boolean {
  const { mean, scale } = head;
  for (let i = 0; i < inputs.length; i++) {
    const feature = features[offset + i]!;
    if (!Number.isFinite(feature)) return false;
    const x = (feature - mean[i]!) / scale[i]!;
    inputs[i] = x > FEATURE_LIMIT ? FEATURE_LIMIT : x < -FEATURE_LIMIT ? -FEATURE_LIMIT : x;
  }
  return true;
}

function rectify(values: Float64Array): void {
  // Written so that NaN stays NaN.
  for (let i = 0; i < values.length; i++) if (values[i]! < 0) values[i] = 0;
}

/** outputs = inputs * weights + bias. Four inputs per pass: a quarter of the loads and stores of the sums. */
function multiply(
  inputs: Float64Array,
  weights: Float32Array,
  bias: Float32Array,
  outputs: Float64Array,
): void {
  const width = outputs.length;
  outputs.set(bias);
  let i = 0;
  for (; i + 4 <= inputs.length; i += 4) {
    const x0 = inputs[i]!;
    const x1 = inputs[i + 1]!;
    const x2 = inputs[i + 2]!;
    const x3 = inputs[i + 3]!;
    const w0 = i * width;
    const w1 = w0 + width;
    const w2 = w1 + width;
    const w3 = w2 + width;
    for (let o = 0; o < width; o++) {
      outputs[o]! +=
        x0 * weights[w0 + o]! +
        x1 * weights[w1 + o]! +
        x2 * weights[w2 + o]! +
        x3 * weights[w3 + o]!;
    }
  }
  for (; i < inputs.length; i++) {
    const x = inputs[i]!;
    for (let o = 0; o < width; o++) outputs[o]! += x * weights[i * width + o]!;
  }
}

/** Multiply-adds of one row through a head of one or two dense layers. */
export function denseMacs(
  { featureCount, hidden }: Pick<BundleHead, 'featureCount' | 'hidden'>,
  classCount: number,
): number {
  return hidden === 0 ? featureCount * classCount : hidden * (featureCount + classCount);
}
