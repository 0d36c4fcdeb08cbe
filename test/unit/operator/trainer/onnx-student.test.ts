import { expect, test } from 'vitest';
import { decodeHalf, encodeHalf } from '../../../../crds/wire/half-float.ts';
import { dequantize } from '../../../../crds/wire/head-bundle.ts';
import type { BundleStudent } from '../../../../crds/wire/student.ts';
import {
  createOnnxStudentTrainer,
  runOnnxStudent,
} from '../../../../operator/trainer/onnx-student.ts';
import { studentParameters, studentStepModel } from '../../../../operator/trainer/student-graph.ts';
import { agreement } from '../../../../operator/training/agreement.ts';
import { distillationLoss, toTargets } from '../../../../operator/training/loss.ts';
import {
  distillStudent,
  type StudentTask,
} from '../../../../operator/training/student/distill-student.ts';
import { NORM_EPSILON } from '../../../../operator/training/student/fold-student.ts';
import type { StudentShape } from '../../../../operator/training/student/student-trainer.ts';
import { convolutionShapes } from '../../../../server/core/student/student-shape.ts';
import { floatsOf, floatTensorOf, RuntimeSession } from '../../../../server/engine/onnx/session.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { aStudent } from '../../../support/students.ts';

type Weights = Record<string, Float64Array>;

const SETTINGS = { alpha: 0.7, temperature: 2, weightDecay: 0 };
/** Odd and even extents, both strides: what a stride leaves over at the far edge is in it. */
const SHAPE: StudentShape = {
  convolutions: convolutionShapes({ channels: 2, height: 6, width: 5 }, [
    { outputs: 3, stride: 2 },
    { outputs: 4, stride: 1 },
    { outputs: 2, stride: 2 },
  ]),
  classCount: 3,
  batchRows: 3,
};

function normals(length: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length }, () => random.normal());
}

/** 3 x 3, padding 1: [rows, inputs, h, w] -> [rows, outputs, h', w']. */
function convolve(
  x: Float64Array,
  w: Float64Array,
  {
    inputs,
    outputs,
    stride,
    height,
    width,
    outHeight,
    outWidth,
  }: StudentShape['convolutions'][number],
): Float64Array {
  const rows = x.length / (inputs * height * width);
  const out = new Float64Array(rows * outputs * outHeight * outWidth);
  let at = 0;
  for (let n = 0; n < rows; n++)
    for (let k = 0; k < outputs; k++)
      for (let i = 0; i < outHeight; i++)
        for (let j = 0; j < outWidth; j++, at++)
          for (let c = 0; c < inputs; c++)
            for (let p = 0; p < 9; p++) {
              const y = i * stride + Math.floor(p / 3) - 1;
              const z = j * stride + (p % 3) - 1;
              const isInside = Math.min(y, z, height - 1 - y, width - 1 - z) >= 0;
              const value = isInside ? x[((n * inputs + c) * height + y) * width + z]! : 0;
              out[at]! += value * w[(k * inputs + c) * 9 + p]!;
            }
  return out;
}

/** Per channel over rows and places. */
function channels(x: Float64Array, count: number, places: number): number[][] {
  const found: number[][] = Array.from({ length: count }, () => []);
  x.forEach((value, at) => found[Math.floor(at / places) % count]!.push(value));
  return found;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The loss by naive loops in double precision. */
function naiveLoss(x: Float64Array, weights: Weights, targets: Targets): number {
  let r = x;
  for (const [i, shape] of SHAPE.convolutions.entries()) {
    const places = shape.outHeight * shape.outWidth;
    const c = convolve(r, weights[`w${i}`]!, shape);
    const moments = channels(c, shape.outputs, places).map((values) => {
      const mean = meanOf(values);
      return { mean, variance: meanOf(values.map((value) => (value - mean) ** 2)) };
    });
    r = c.map((value, at) => {
      const k = Math.floor(at / places) % shape.outputs;
      const { mean, variance } = moments[k]!;
      const normed = (value - mean) / Math.sqrt(variance + NORM_EPSILON);
      return Math.max(0, normed * weights[`g${i}`]![k]! + weights[`b${i}`]![k]!);
    });
  }
  const { outputs, outHeight, outWidth } = SHAPE.convolutions.at(-1)!;
  const places = outHeight * outWidth;
  let loss = 0;
  for (let n = 0; n < SHAPE.batchRows; n++) {
    const z = Array.from({ length: SHAPE.classCount }, (_, c) => {
      let sum = weights['dense.bias']![c]!;
      for (let k = 0; k < outputs; k++) {
        const first = (n * outputs + k) * places;
        const feature = meanOf([...r.subarray(first, first + places)]);
        sum += feature * weights.dense![k * SHAPE.classCount + c]!;
      }
      return sum;
    });
    loss += rowLoss(z, n, targets);
  }
  return loss / SHAPE.batchRows;
}

type Targets = ReturnType<typeof toTargets> & { readonly weight: Float32Array };

/** exits.md 4.2, one row. */
function rowLoss(z: readonly number[], row: number, { soft, hard, weight }: Targets): number {
  const { alpha, temperature } = SETTINGS;
  const logSoftmax = (values: readonly number[]): number[] => {
    const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
    return values.map((value) => value - total);
  };
  const warm = logSoftmax(z.map((value) => value / temperature));
  const plain = logSoftmax(z);
  return z.reduce((sum, _, c) => {
    const t = soft[row * z.length + c]!;
    const h = hard[row * z.length + c]!;
    const divergence = alpha * temperature ** 2 * t * (Math.log(t) - warm[c]!);
    return sum + weight[row]! * (divergence - (1 - alpha) * h * plain[c]!);
  }, 0);
}

test('the gradients of the training step are those of finite differences, for every parameter', () => {
  const { batchRows, classCount } = SHAPE;
  const teacher = Float32Array.from(normals(batchRows * classCount, 1));
  const classes = Uint32Array.of(0, 2, 1);
  const targets: Targets = {
    ...toTargets(teacher, classes, { classCount, temperature: SETTINGS.temperature }),
    weight: Float32Array.of(0.5, 1, 1.5),
  };
  const x = normals(batchRows * 2 * 6 * 5, 2);
  const parameters = studentParameters(SHAPE);
  const weights: Weights = {};
  for (const [i, { name, dims }] of parameters.entries()) {
    weights[name] = normals(
      dims.reduce((product, extent) => product * extent, 1),
      10 + i,
    ).map(Math.fround);
  }
  const feeds: Record<string, ReturnType<typeof floatTensorOf>> = {
    r0: floatTensorOf(Float32Array.from(x), [batchRows, 2, 6, 5]),
    soft: floatTensorOf(targets.soft, [batchRows, classCount]),
    hard: floatTensorOf(targets.hard, [batchRows, classCount]),
    'row.weight': floatTensorOf(
      targets.weight.map((w) => w / batchRows),
      [batchRows, 1],
    ),
  };
  for (const [name, value] of [
    ['rate.step', 0],
    ['rate.keep', 1],
    ['root.correction', 1],
  ] as const) {
    feeds[name] = floatTensorOf(Float32Array.of(value), []);
  }
  for (const { name, dims } of parameters) {
    const own = Float32Array.from(weights[name]!);
    feeds[name] = floatTensorOf(own, dims);
    for (const moment of ['m', 'v']) {
      feeds[`${name}.${moment}`] = floatTensorOf(new Float32Array(own.length), dims);
    }
  }
  const session = new RuntimeSession(studentStepModel(SHAPE, SETTINGS));
  const found = session.run(feeds);
  session.release();
  const rounded = Float64Array.from(x, Math.fround);
  expectClose(floatsOf(found.loss)![0]!, naiveLoss(rounded, weights, targets), { rel: 1e-5 });
  for (const { name } of parameters) {
    // The first moment of the first step is (1 - 0.9) times the gradient.
    const gradient = floatsOf(found[`${name}.m.next`])!.map((m) => m / 0.1);
    for (const [i, actual] of gradient.entries()) {
      const own = weights[name]!;
      const lossAt = (value: number): number => {
        const moved = { ...weights, [name]: own.map((w, j) => (j === i ? value : w)) };
        return naiveLoss(rounded, moved, targets);
      };
      const expected = (lossAt(own[i]! + 1e-5) - lossAt(own[i]! - 1e-5)) / 2e-5;
      expectClose(actual, expected, { rel: 1e-3, abs: 2e-4 });
    }
  }
});

test('a loss in the graph is the loss that heads are trained by', () => {
  const targets = toTargets(Float32Array.of(2, 1, 0), Uint32Array.of(0), {
    classCount: 3,
    temperature: 2,
  });
  const weight = Float32Array.of(1);
  const { loss } = distillationLoss(
    Float32Array.of(1, 1.5, 0),
    { rows: 1, ...targets, weight },
    SETTINGS,
  );
  expectClose(rowLoss([1, 1.5, 0], 0, { ...targets, weight }), loss, { rel: 1e-5 });
});

/** Logits by naive loops in double precision. */
function naiveLogits(
  { input, convolutions, dense, denseBias }: BundleStudent,
  row: Float32Array,
): number[] {
  const { height, width } = input;
  const layers = convolutions.map(({ stride, bias }) => ({ outputs: bias.length, stride }));
  const shapes = convolutionShapes(input, layers);
  let r = Float64Array.from(row, (value, at) => {
    const c = Math.floor(at / (height * width));
    return (value - input.mean[c]!) / input.scale[c]!;
  });
  for (const [i, shape] of shapes.entries()) {
    const { weights, bias } = convolutions[i]!;
    const values = dequantize(weights);
    const turned = Float64Array.from(values, (_, at) => {
      const rows = weights.rows;
      return values[(at % rows) * weights.columns + Math.floor(at / rows)]!;
    });
    const places = shape.outHeight * shape.outWidth;
    r = convolve(r, turned, shape).map((value, at) =>
      Math.max(0, value + bias[Math.floor(at / places)]!),
    );
  }
  const last = shapes.at(-1)!;
  const places = last.outHeight * last.outWidth;
  const matrix = dequantize(dense);
  return [...denseBias].map((bias, c) => {
    const terms = Array.from({ length: last.outputs }, (_, k) => {
      return (
        meanOf([...r.subarray(k * places, (k + 1) * places)]) * matrix[k * denseBias.length + c]!
      );
    });
    return bias + terms.reduce((sum, term) => sum + term, 0);
  });
}

test('the file that servers build computes what the weights say, in either layout of rows', async () => {
  const student = aStudent();
  const { channels: count, height, width } = student.input;
  const size = count * height * width;
  const rows = Float32Array.from(normals(70 * size, 3));
  const logits = await runOnnxStudent(student, rows, 70);
  for (const n of [0, 69]) {
    const expected = naiveLogits(student, rows.subarray(n * size, (n + 1) * size));
    for (const [c, value] of expected.entries()) {
      expectClose(logits[n * 3 + c]!, value, { rel: 1e-4, abs: 1e-5 });
    }
  }
  const last = Float32Array.from(rows, (_, at) => {
    const [n, rest] = [Math.floor(at / size), at % size];
    const [place, c] = [Math.floor(rest / count), rest % count];
    return rows[n * size + c * height * width + place]!;
  });
  const turned = aStudent({ layout: 'NHWC' });
  expect(await runOnnxStudent(turned, last, 70)).toEqual(logits);
});

/** Rows whose class says in which quarter of the picture it is bright. */
function brightQuarters(rows: number): { task: StudentTask; x: Float32Array } {
  const random = seededRandom(5);
  const size = 2 * 8 * 8;
  const classes = Uint32Array.from({ length: rows }, () => Math.floor(random.uniform() * 4));
  const x = Float32Array.from({ length: rows * size }, (_, at) => {
    const place = at % 64;
    const quarter = Math.floor(place / 32) * 2 + Math.floor((place % 8) / 4);
    return 100 + 20 * random.normal() + (quarter === classes[Math.floor(at / size)] ? 60 : 0);
  });
  const teacher = Float32Array.from({ length: 4 * rows }, (_, at) =>
    Math.log(at % 4 === classes[Math.floor(at / 4)] ? 0.97 : 0.01),
  );
  const task: StudentTask = {
    convolutions: convolutionShapes({ channels: 2, height: 8, width: 8 }, [
      { outputs: 6, stride: 2 },
      { outputs: 8, stride: 2 },
    ]),
    rows: {
      ...{ extent: { channels: 2, height: 8, width: 8 }, layout: 'NCHW' },
      inputs: encodeHalf(x),
      place: Int32Array.from(classes, (_, row) => row),
      heldRows: rows,
    },
    targets: {
      classCount: 4,
      teacher,
      teacherClass: classes,
      weight: new Float32Array(rows).fill(1),
    },
    trainingRows: Uint32Array.from({ length: rows / 2 }, (_, row) => row),
    seed: [3],
  };
  return { task, x };
}

const LEARNING = {
  ...{ alpha: 0.7, temperature: 2, weightDecay: 1e-4, epochs: 12, batchRows: 32 },
  ...{ learningRate: 1e-2, shift: 0, flips: false },
};

test('a student learns the classes of the backbone', async () => {
  const { task } = brightQuarters(800);
  const student = await distillStudent(task, LEARNING, createOnnxStudentTrainer);
  expect(student.input.mean[0]).toBeCloseTo(115, -1);
  const unseen = task.targets.teacherClass.slice(400);
  const size = 2 * 8 * 8;
  const x = decodeHalf(task.rows.inputs.slice(400 * size));
  const logits = await runOnnxStudent(student, x, 400);
  const { disagreements } = agreement(logits, unseen, { classCount: 4, budget: 1 });
  expect(disagreements).toBeLessThan(20);
});

test('equal seeds give equal weights, others do not', async () => {
  const { task } = brightQuarters(200);
  const once = { ...LEARNING, epochs: 1 };
  const student = await distillStudent(task, once, createOnnxStudentTrainer);
  expect(await distillStudent(task, once, createOnnxStudentTrainer)).toEqual(student);
  const other = { ...task, seed: [4] };
  expect(await distillStudent(other, once, createOnnxStudentTrainer)).not.toEqual(student);
});

test('rows with their channels last give the same student', async () => {
  const { task } = brightQuarters(100);
  const { inputs } = task.rows;
  const turned = inputs.map((_, at) => {
    const [row, rest] = [Math.floor(at / 128), at % 128];
    return inputs[row * 128 + (rest % 2) * 64 + Math.floor(rest / 2)]!;
  });
  const once = { ...LEARNING, epochs: 1, shift: 0.2, flips: true };
  const last = { ...task, rows: { ...task.rows, layout: 'NHWC' as const, inputs: turned } };
  const student = await distillStudent(task, once, createOnnxStudentTrainer);
  expect(await distillStudent(last, once, createOnnxStudentTrainer)).toEqual({
    ...student,
    input: { ...student.input, layout: 'NHWC' },
  });
});

test('rows that are moved and mirrored are other rows, and a channel without contrast is left as it is', async () => {
  const { task } = brightQuarters(400);
  const flat = {
    ...task,
    rows: { ...task.rows, inputs: new Uint16Array(task.rows.inputs.length) },
  };
  const once = { ...LEARNING, epochs: 1 };
  const still = await distillStudent(task, once, createOnnxStudentTrainer);
  const moved = await distillStudent(
    task,
    { ...once, shift: 0.3, flips: true },
    createOnnxStudentTrainer,
  );
  expect(moved).not.toEqual(still);
  expect((await distillStudent(flat, once, createOnnxStudentTrainer)).input.scale).toEqual([1, 1]);
});
