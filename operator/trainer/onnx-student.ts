import * as ort from 'onnxruntime-node';
import { studentModel } from '../../server/core/student/student-model.ts';
import { ADAM } from '../training/adam.ts';
import type {
  StudentRunner,
  StudentShape,
  StudentTrainerFactory,
  StudentWeights,
} from '../training/student/student-trainer.ts';
import { rowOf, studentParameters, studentStepModel } from './student-graph.ts';

type Tensors = Record<string, ort.Tensor>;

// One thread, as for heads: equal digests on any machine.
const SESSION_OPTIONS: ort.InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
};
/** Rows per run of a finished student: bounds the memory of its maps. */
const RUN_ROWS = 64;

function tensor(data: Float32Array, dims: readonly number[]): ort.Tensor {
  return new ort.Tensor('float32', data, dims);
}

function scalar(value: number): ort.Tensor {
  return tensor(Float32Array.of(value), []);
}

function valuesOf(tensors: Tensors, name: string): Float32Array {
  return tensors[name]?.data as Float32Array;
}

/** Weights and moments; two such sets take turns as input and output of a step. */
function stateTensors(shape: StudentShape, start: StudentWeights): Tensors {
  const tensors: Tensors = {};
  for (const { name, dims } of studentParameters(shape)) {
    const values = Float32Array.from(start[name] ?? []);
    tensors[name] = tensor(values, dims);
    for (const moment of ['m', 'v']) {
      tensors[`${name}.${moment}`] = tensor(new Float32Array(values.length), dims);
    }
  }
  return tensors;
}

/** The training step of a student as an onnxruntime graph. */
export const createOnnxStudentTrainer: StudentTrainerFactory = async (shape, start, settings) => {
  const { convolutions, classCount, batchRows } = shape;
  const session = await ort.InferenceSession.create(
    studentStepModel(shape, settings),
    SESSION_OPTIONS,
  );
  const row = rowOf(shape);
  let state = stateTensors(shape, start);
  let spare = stateTensors(shape, start);
  let step = 0;
  return {
    step: async (batch, learningRate) => {
      step += 1;
      const feeds = {
        r0: tensor(batch.x, [batchRows, ...row]),
        soft: tensor(batch.soft, [batchRows, classCount]),
        hard: tensor(batch.hard, [batchRows, classCount]),
        'row.weight': tensor(
          batch.weight.map((w) => w / batchRows),
          [batchRows, 1],
        ),
        ...state,
        'rate.step': scalar(learningRate / (1 - ADAM.beta1 ** step)),
        'rate.keep': scalar(1 - learningRate * settings.weightDecay),
        'root.correction': scalar(1 / Math.sqrt(1 - ADAM.beta2 ** step)),
      };
      const found: Tensors = { loss: scalar(0) };
      for (const [i, { outputs }] of convolutions.entries()) {
        for (const name of [`mean${i}`, `variance${i}`]) {
          found[name] = tensor(new Float32Array(outputs), [1, outputs, 1, 1]);
        }
      }
      const fetches: Tensors = { ...found };
      for (const [name, value] of Object.entries(spare)) fetches[`${name}.next`] = value;
      await session.run(feeds, fetches);
      [state, spare] = [spare, state];
      return {
        loss: Number(valuesOf(found, 'loss')[0]),
        moments: {
          mean: convolutions.map((_, i) => valuesOf(found, `mean${i}`)),
          variance: convolutions.map((_, i) => valuesOf(found, `variance${i}`)),
        },
      };
    },
    weights: () =>
      Object.fromEntries(
        studentParameters(shape).map(({ name }) => [name, valuesOf(state, name).slice()]),
      ),
    close: () => session.release(),
  };
};

/** Runs the very file that servers build of a student. */
export const runOnnxStudent: StudentRunner = async (student, x, rows) => {
  const session = await ort.InferenceSession.create(studentModel(student), SESSION_OPTIONS);
  try {
    const { layout, channels, height, width } = student.input;
    const dims = layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
    const size = channels * height * width;
    const classCount = student.denseBias.length;
    const logits = new Float32Array(rows * classCount);
    for (let from = 0; from < rows; from += RUN_ROWS) {
      const count = Math.min(RUN_ROWS, rows - from);
      const part = x.subarray(from * size, (from + count) * size);
      const found = await session.run({ rows: tensor(part, [count, ...dims]) });
      logits.set(valuesOf(found, 'logits'), from * classCount);
    }
    return logits;
  } finally {
    await session.release();
  }
};
