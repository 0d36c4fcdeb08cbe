import { studentModel } from '../../server/core/student/student-model.ts';
import type {
  StudentRunner,
  StudentShape,
  StudentTrainerFactory,
  StudentWeights,
} from '../training/student/student-trainer.ts';
import { createAdamState, openSession, scalar, tensor, type Tensors } from './onnx-tensors.ts';
import { rowOf, studentParameters, studentStepModel } from './student-graph.ts';

/** Rows per run of a finished student: bounds the memory of its maps. */
const RUN_ROWS = 64;

function valuesOf(tensors: Tensors, name: string): Float32Array {
  return tensors[name]?.data as Float32Array;
}

function weightTensors(shape: StudentShape, weights: StudentWeights): Tensors {
  return Object.fromEntries(
    studentParameters(shape).map(({ name, dims }) => [
      name,
      tensor(weights[name] ?? new Float32Array(0), dims),
    ]),
  );
}

/** The training step of a student as an onnxruntime graph. */
export const createOnnxStudentTrainer: StudentTrainerFactory = async (shape, start, settings) => {
  const { convolutions, classCount, batchRows } = shape;
  const session = await openSession(studentStepModel(shape, settings));
  const row = rowOf(shape);
  const state = createAdamState(weightTensors(shape, start), settings.weightDecay);
  return {
    step: async (batch, learningRate) => {
      const feeds = {
        r0: tensor(batch.x, [batchRows, ...row]),
        soft: tensor(batch.soft, [batchRows, classCount]),
        hard: tensor(batch.hard, [batchRows, classCount]),
        'row.weight': tensor(
          batch.weight.map((w) => w / batchRows),
          [batchRows, 1],
        ),
        ...state.feeds(learningRate),
      };
      const found: Tensors = { loss: scalar(0) };
      for (const [i, { outputs }] of convolutions.entries()) {
        for (const name of [`mean${i}`, `variance${i}`]) {
          found[name] = tensor(new Float32Array(outputs), [1, outputs, 1, 1]);
        }
      }
      await session.run(feeds, { ...found, ...state.fetches() });
      state.advance();
      return {
        loss: Number(valuesOf(found, 'loss')[0]),
        moments: {
          mean: convolutions.map((_, i) => valuesOf(found, `mean${i}`)),
          variance: convolutions.map((_, i) => valuesOf(found, `variance${i}`)),
        },
      };
    },
    weights: () =>
      Object.fromEntries(studentParameters(shape).map(({ name }) => [name, state.copyOf(name)])),
    close: () => session.release(),
  };
};

/** Runs the very file that servers build of a student. */
export const runOnnxStudent: StudentRunner = async (student, x, rows) => {
  const session = await openSession(studentModel(student));
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
