import * as ort from 'onnxruntime-node';
import { invariant } from '../../server/core/invariant.ts';
import { ADAM } from '../training/adam.ts';
import type {
  DenseBatch,
  DenseSettings,
  DenseShape,
  DenseTrainer,
  DenseWeights,
} from '../training/dense-trainer.ts';
import { forwardModel, parametersOf, stepModel } from './step-graph.ts';

type Tensors = Record<string, ort.Tensor>;

// One thread: parallelism is over heads. Spinning threads would take the cores from the servers beside us.
const SESSION_OPTIONS: ort.InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
};
/** Rows per evaluation run: bounds the memory of hidden layers. */
const EVALUATION_ROWS = 1024;

function tensor(data: Float32Array, dims: readonly number[]): ort.Tensor {
  return new ort.Tensor('float32', data, dims);
}

function scalar(value: number): ort.Tensor {
  return tensor(Float32Array.of(value), []);
}

function weightTensors(shape: DenseShape, weights: DenseWeights): Tensors {
  const tensors: Tensors = {};
  for (const { name, dims } of parametersOf(shape)) {
    const values = weights[name];
    invariant(values !== null, `a head with hidden ${shape.hidden} has ${name}`);
    tensors[name] = tensor(values, dims);
  }
  return tensors;
}

/** Weights and moments; two such sets take turns as input and output of a step. */
function stateTensors(shape: DenseShape, weights: DenseWeights): Tensors {
  const tensors: Tensors = {};
  for (const [name, value] of Object.entries(weightTensors(shape, weights))) {
    tensors[name] = tensor((value.data as Float32Array).slice(), value.dims);
    for (const moment of ['m', 'v']) {
      tensors[`${name}.${moment}`] = tensor(new Float32Array(value.size), value.dims);
    }
  }
  return tensors;
}

function batchTensors(
  { rows, x, soft, hard, weight }: DenseBatch,
  { featureCount, classCount }: DenseShape,
): Tensors {
  return {
    x: tensor(x.subarray(0, rows * featureCount), [rows, featureCount]),
    soft: tensor(soft.subarray(0, rows * classCount), [rows, classCount]),
    hard: tensor(hard.subarray(0, rows * classCount), [rows, classCount]),
    'row.weight': tensor(
      weight.subarray(0, rows).map((w) => w / rows),
      [rows, 1],
    ),
  };
}

/** The training step as an onnxruntime graph: the same steps as createReferenceTrainer, about twenty times as fast. */
export async function createOnnxTrainer(
  shape: DenseShape,
  start: DenseWeights,
  settings: DenseSettings,
): Promise<DenseTrainer> {
  const session = await ort.InferenceSession.create(stepModel(shape, settings), SESSION_OPTIONS);
  const forward = await ort.InferenceSession.create(forwardModel(shape), SESSION_OPTIONS);
  let state = stateTensors(shape, start);
  let spare = stateTensors(shape, start);
  let step = 0;

  return {
    step: async (batch, learningRate) => {
      step += 1;
      const feeds = {
        ...batchTensors(batch, shape),
        ...state,
        'rate.step': scalar(learningRate / (1 - ADAM.beta1 ** step)),
        'rate.keep': scalar(1 - learningRate * settings.weightDecay),
        'root.correction': scalar(1 / Math.sqrt(1 - ADAM.beta2 ** step)),
      };
      const loss = scalar(0);
      const fetches: Tensors = { loss };
      for (const [name, value] of Object.entries(spare)) fetches[`${name}.next`] = value;
      await session.run(feeds, fetches);
      [state, spare] = [spare, state];
      return Number(loss.data[0]);
    },
    weights: () => {
      const copy = (name: string): Float32Array => (state[name]?.data as Float32Array).slice();
      const isDeep = shape.hidden !== 0;
      return {
        w1: copy('w1'),
        b1: copy('b1'),
        w2: isDeep ? copy('w2') : null,
        b2: isDeep ? copy('b2') : null,
      };
    },
    logits: async (weights, x, rows) => {
      const { featureCount, classCount } = shape;
      const logits = new Float32Array(rows * classCount);
      const feeds = weightTensors(shape, weights);
      for (let from = 0; from < rows; from += EVALUATION_ROWS) {
        const count = Math.min(EVALUATION_ROWS, rows - from);
        const part = x.subarray(from * featureCount, (from + count) * featureCount);
        const { z } = await forward.run({ ...feeds, x: tensor(part, [count, featureCount]) });
        logits.set(z?.data as Float32Array, from * classCount);
      }
      return logits;
    },
    close: async () => {
      await session.release();
      await forward.release();
    },
  };
}
