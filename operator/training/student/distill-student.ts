/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers come from the split, extents from the shape */
import { fromHalf } from '../../../crds/wire/half-float.ts';
import type { BundleStudent, StudentInput } from '../../../crds/wire/student.ts';
import type { ConvolutionShape } from '../../../server/core/student/student-shape.ts';
import { createRandom, type Random } from '../../../server/core/random.ts';
import type { Dataset } from '../dataset.ts';
import type { DenseSettings } from '../dense-trainer.ts';
import { gatherRows } from '../distill.ts';
import { toTargets } from '../loss.ts';
import { foldStudent } from './fold-student.ts';
import type { StudentRows } from './student-rows.ts';
import type {
  BatchMoments,
  StudentBatch,
  StudentShape,
  StudentTrainerFactory,
  StudentWeights,
} from './student-trainer.ts';

/** How long and how hard a student is trained. */
export interface StudentSettings extends DenseSettings {
  readonly epochs: number;
  readonly batchRows: number;
  /** From 0 to this over the first epoch, then by cosine to a hundredth. */
  readonly learningRate: number;
  /** Rows are moved by up to this share of their extent, both ways. */
  readonly shift: number;
  /** Every second row is seen in a mirror. */
  readonly flips: boolean;
}

/** A student to train. Row numbers are those of the data set; inputs of training rows are held. */
export interface StudentTask {
  readonly convolutions: readonly ConvolutionShape[];
  readonly rows: StudentRows;
  readonly targets: Pick<Dataset, 'classCount' | 'teacher' | 'teacherClass' | 'weight'>;
  readonly trainingRows: Uint32Array;
  readonly seed: readonly number[];
}

/** Share of the past in the running moments of batch norms. */
const MOMENTUM = 0.98;

/** Trains one student on the backbone's answers. Deterministic for equal task, settings and trainer. */
export async function distillStudent(
  task: StudentTask,
  settings: StudentSettings,
  factory: StudentTrainerFactory,
): Promise<BundleStudent> {
  const random = createRandom(task.seed);
  const order = task.trainingRows.slice();
  const batchRows = Math.min(settings.batchRows, order.length);
  const shape: StudentShape = {
    convolutions: task.convolutions,
    classCount: task.targets.classCount,
    batchRows,
  };
  const input = standardisation(task);
  const trainer = await factory(shape, initialStudent(shape, random), settings);
  const read = createReader(task, input, settings, random);
  const steps = Math.floor(order.length / batchRows);
  const total = steps * settings.epochs;
  let running: BatchMoments | null = null;
  try {
    for (let epoch = 0; epoch < settings.epochs; epoch++) {
      random.shuffle(order);
      for (let step = 0; step < steps; step++) {
        const batch = read(order.subarray(step * batchRows, (step + 1) * batchRows));
        const { moments } = await trainer.step(
          batch,
          rateAt(settings.learningRate, epoch * steps + step, { total, warmUp: steps }),
        );
        running = remember(running, moments);
      }
    }
    return foldStudent(shape, trainer.weights(), running!, input);
  } finally {
    await trainer.close();
  }
}

function rateAt(
  most: number,
  step: number,
  { total, warmUp }: { readonly total: number; readonly warmUp: number },
): number {
  if (step < warmUp) return (most * (step + 1)) / warmUp;
  const done = (step - warmUp) / Math.max(1, total - warmUp);
  return most * (0.01 + 0.99 * 0.5 * (1 + Math.cos(Math.PI * done)));
}

function remember(past: BatchMoments | null, now: BatchMoments): BatchMoments {
  const blend = (a: readonly Float32Array[], b: readonly Float32Array[]): Float32Array[] =>
    b.map((values, i) => values.map((value, k) => MOMENTUM * a[i]![k]! + (1 - MOMENTUM) * value));
  if (past === null) return now;
  return { mean: blend(past.mean, now.mean), variance: blend(past.variance, now.variance) };
}

/** He-normal weights of convolutions and of the dense layer, norms that change nothing. */
function initialStudent(
  { convolutions, classCount }: StudentShape,
  random: Random,
): StudentWeights {
  const weights: Record<string, Float32Array> = {};
  const normal = (length: number, inputs: number): Float32Array =>
    Float32Array.from({ length }, () => random.normal() * Math.sqrt(2 / inputs));
  for (const [i, { inputs, outputs }] of convolutions.entries()) {
    weights[`w${i}`] = normal(9 * inputs * outputs, 9 * inputs);
    weights[`g${i}`] = new Float32Array(outputs).fill(1);
    weights[`b${i}`] = new Float32Array(outputs);
  }
  const { outputs } = convolutions.at(-1)!;
  weights.dense = normal(outputs * classCount, 2 * outputs);
  weights['dense.bias'] = new Float32Array(classCount);
  return weights;
}

/** Where a value of a row lies: [channel step, row step, column step]. */
function stepsOf({ layout, extent }: StudentRows): readonly [number, number, number] {
  const { channels, height, width } = extent;
  return layout === 'NCHW' ? [height * width, width, 1] : [1, width * channels, channels];
}

/** Mean and deviation of every channel over the training rows. */
function standardisation({ rows, trainingRows }: StudentTask): StudentInput {
  const { extent, layout } = rows;
  const { channels, height, width } = extent;
  const [perChannel, perRow, perColumn] = stepsOf(rows);
  const size = channels * height * width;
  const mean: number[] = [];
  const scale: number[] = [];
  for (let c = 0; c < channels; c++) {
    let [sum, squares] = [0, 0];
    for (const row of trainingRows) {
      const first = rows.place[row]! * size + c * perChannel;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const value = fromHalf(rows.inputs[first + y * perRow + x * perColumn]!);
          sum += value;
          squares += value * value;
        }
      }
    }
    const count = trainingRows.length * height * width;
    const average = Math.fround(sum / count);
    mean.push(average);
    const deviation = Math.sqrt(Math.max(0, squares / count - average * average));
    scale.push(Math.fround(deviation > 0 ? deviation : 1));
  }
  return { layout, ...extent, mean, scale };
}

/** Rows with their targets, standardised, moved and mirrored by chance; what moves in from outside is the mean. */
function createReader(
  task: StudentTask,
  input: StudentInput,
  settings: StudentSettings,
  random: Random,
): (rows: Uint32Array) => StudentBatch {
  const { targets, rows: held } = task;
  const { classCount } = targets;
  const { channels, height, width, mean, scale } = input;
  const [perChannel, perRow, perColumn] = stepsOf(held);
  const size = channels * height * width;
  const most = Math.floor(settings.shift * Math.min(height, width));
  const moved = (): number => Math.floor(random.uniform() * (2 * most + 1)) - most;
  return (rows) => {
    const x = new Float32Array(rows.length * size);
    for (const [i, row] of rows.entries()) {
      const [down, right] = [moved(), moved()];
      const isMirrored = settings.flips && random.uniform() < 0.5;
      for (let c = 0; c < channels; c++) {
        const [centre, gain] = [mean[c]!, 1 / scale[c]!];
        for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
          const from = held.place[row]! * size + c * perChannel + (y + down) * perRow;
          const to = i * size + (c * height + y) * width;
          for (let k = Math.max(0, -right); k < Math.min(width, width - right); k++) {
            const column = isMirrored ? width - 1 - (k + right) : k + right;
            x[to + k] = (fromHalf(held.inputs[from + column * perColumn]!) - centre) * gain;
          }
        }
      }
    }
    const teacher = gatherRows(targets.teacher, rows, classCount);
    const classes = rows.map((row) => targets.teacherClass[row]!);
    const { temperature } = settings;
    return {
      x,
      ...toTargets(teacher, classes, { classCount, temperature }),
      weight: Float32Array.from(rows, (row) => targets.weight[row]!),
    };
  };
}
