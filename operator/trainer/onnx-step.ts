import { invariant } from '../../server/core/invariant.ts';
import type {
  DenseBatch,
  DenseSettings,
  DenseShape,
  DenseTrainer,
  DenseWeights,
} from '../training/dense-trainer.ts';
import { createAdamState, openSession, scalar, tensor, type Tensors } from './onnx-tensors.ts';
import { forwardModel, parametersOf, stepModel } from './step-graph.ts';

/** Rows per evaluation run: bounds the memory of hidden layers. */
const EVALUATION_ROWS = 1024;

function weightTensors(shape: DenseShape, weights: DenseWeights): Tensors {
  const tensors: Tensors = {};
  for (const { name, dims } of parametersOf(shape)) {
    const values = weights[name];
    invariant(values !== null, `a head with hidden ${shape.hidden} has ${name}`);
    tensors[name] = tensor(values, dims);
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
  const session = await openSession(stepModel(shape, settings));
  const forward = await openSession(forwardModel(shape));
  const state = createAdamState(weightTensors(shape, start), settings.weightDecay);

  return {
    step: async (batch, learningRate) => {
      const loss = scalar(0);
      const feeds = { ...batchTensors(batch, shape), ...state.feeds(learningRate) };
      await session.run(feeds, { loss, ...state.fetches() });
      state.advance();
      return Number(loss.data[0]);
    },
    weights: () => {
      const isDeep = shape.hidden !== 0;
      return {
        w1: state.copyOf('w1'),
        b1: state.copyOf('b1'),
        w2: isDeep ? state.copyOf('w2') : null,
        b2: isDeep ? state.copyOf('b2') : null,
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
