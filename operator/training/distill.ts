/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers come from the split */
import { invariant } from '../../server/core/invariant.ts';
import { createRandom, type Random } from '../../server/core/random.ts';
import type {
  DenseBatch,
  DenseSettings,
  DenseShape,
  DenseTrainer,
  DenseTrainerFactory,
  DenseWeights,
} from './dense-trainer.ts';
import { agreement, type Agreement } from './agreement.ts';
import { distillationLoss, toTargets } from './loss.ts';
import { initialWeights } from './mlp.ts';
import { createWeightAverage } from './weight-average.ts';

/** How long and how hard a head is trained (exits.md 4.3). */
export interface DistillSettings extends DenseSettings {
  readonly epochs: number;
  readonly batchRows: number;
  /** Cosine from the first to the last. */
  readonly learningRate: number;
  readonly finalLearningRate: number;
  /** Epochs without a better one after which training ends. */
  readonly patience: number;
  /** Share of standardised features set to their mean, the others scaled up. */
  readonly inputDropout: number;
  /** Rows are mixed with another of the batch, of weight up to half of this; targets alike (Zhang et al. 2018). */
  readonly mixup: number;
  /** Share of the past in the running average of weights that is judged and kept; 0 keeps the last epoch's. */
  readonly averaging: number;
  /** Which epoch's weights are kept: the one that ranks validation rows best, or the last, when these rows train too. */
  readonly keeps: 'Best' | 'Last';
}

/** A head to train. Arrays are indexed by row number of the data set; only the rows named are read. */
export interface DistillTask {
  readonly shape: DenseShape;
  /** [rows, featureCount] standardised. */
  readonly x: Float32Array;
  /** [rows, classCount] */
  readonly teacher: Float32Array;
  readonly teacherClass: Uint32Array;
  readonly weight: Float32Array;
  readonly trainingRows: Uint32Array;
  readonly validationRows: Uint32Array;
  readonly budget: number;
  readonly seed: readonly number[];
}

export interface Distilled {
  readonly weights: DenseWeights;
  /** 1-based epoch that gave them. */
  readonly epoch: number;
}

/** Fewer disagreements rank nothing: then the loss decides which epoch is better. */
const LEAST_DISAGREEMENTS = 50;

interface Evaluation {
  readonly epoch: number;
  readonly weights: DenseWeights;
  readonly found: Agreement;
  readonly loss: number;
}

/** Copies the given rows of a row-major table. */
export function gatherRows(table: Float32Array, rows: Uint32Array, width: number): Float32Array {
  const out = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) {
    out.set(table.subarray(row * width, (row + 1) * width), i * width);
  }
  return out;
}

/**
 * Trains one head on the backbone's answers and keeps the epoch that ranks best on validation rows, or the last.
 * Deterministic for equal task, settings and trainer. No training rows throw InvariantError.
 */
export async function distill(
  task: DistillTask,
  settings: DistillSettings,
  factory: DenseTrainerFactory,
): Promise<Distilled> {
  invariant(task.trainingRows.length > 0, 'a head needs rows to train on');
  const random = createRandom(task.seed);
  const trainer = await factory(task.shape, initialWeights(task.shape, random), settings);
  try {
    return await train(task, settings, { trainer, random });
  } finally {
    await trainer.close();
  }
}

async function train(
  task: DistillTask,
  settings: DistillSettings,
  tools: { readonly trainer: DenseTrainer; readonly random: Random },
): Promise<Distilled> {
  const { trainer, random } = tools;
  const order = task.trainingRows.slice();
  const batch = emptyBatch(task.shape, Math.min(settings.batchRows, order.length));
  // The last rows of an epoch wait for the next shuffle: every batch has the same size.
  const steps = Math.floor(order.length / batch.rows);
  const evaluate = createEvaluation(task, settings, trainer);
  let best: Evaluation | null = null;
  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    random.shuffle(order);
    for (let step = 0; step < steps; step++) {
      const rows = order.subarray(step * batch.rows, (step + 1) * batch.rows);
      fillBatch(batch, rows, task, { settings, random });
      const done = ((epoch - 1) * steps + step) / (settings.epochs * steps);
      await trainer.step(batch, cosineRate(settings, done));
    }
    const evaluation = await evaluate(epoch);
    const isKept = best === null || settings.keeps === 'Last' || isBetter(evaluation, best);
    if (isKept) best = evaluation;
    if (best !== null && epoch - best.epoch >= settings.patience) break;
  }
  invariant(best !== null, 'training has at least one epoch');
  return { weights: best.weights, epoch: best.epoch };
}

function cosineRate(settings: DistillSettings, done: number): number {
  const { learningRate, finalLearningRate } = settings;
  const share = 0.5 * (1 + Math.cos(Math.PI * done));
  return finalLearningRate + share * (learningRate - finalLearningRate);
}

function emptyBatch({ featureCount, classCount }: DenseShape, rows: number): DenseBatch {
  return {
    rows,
    x: new Float32Array(rows * featureCount),
    soft: new Float32Array(rows * classCount),
    hard: new Float32Array(rows * classCount),
    weight: new Float32Array(rows),
  };
}

function isBetter(a: Evaluation, b: Evaluation): boolean {
  const fewest = Math.min(a.found.disagreements, b.found.disagreements);
  if (fewest < LEAST_DISAGREEMENTS) return a.loss < b.loss;
  return a.found.lowRiskCoverage > b.found.lowRiskCoverage;
}

function createEvaluation(
  task: DistillTask,
  settings: DistillSettings,
  trainer: DenseTrainer,
): (epoch: number) => Promise<Evaluation> {
  const { shape, validationRows, budget } = task;
  const { classCount } = shape;
  const x = gatherRows(task.x, validationRows, shape.featureCount);
  const teacher = gatherRows(task.teacher, validationRows, classCount);
  const classes = validationRows.map((row) => task.teacherClass[row]!);
  const weight = Float32Array.from(validationRows, (row) => task.weight[row]!);
  const targets = toTargets(teacher, classes, { classCount, temperature: settings.temperature });
  const rows = validationRows.length;
  const average = createWeightAverage(settings.averaging);
  return async (epoch) => {
    const weights = average.add(trainer.weights());
    const logits = await trainer.logits(weights, x, rows);
    const { loss } = distillationLoss(logits, { rows, ...targets, weight }, settings);
    return { epoch, weights, loss, found: agreement(logits, classes, { classCount, budget }) };
  };
}

/** Writes rows with their targets; a partner is mixed in and features are dropped as the settings say. */
function fillBatch(
  batch: DenseBatch,
  rows: Uint32Array,
  task: DistillTask,
  chance: { readonly settings: DistillSettings; readonly random: Random },
): void {
  const { settings, random } = chance;
  const { featureCount, classCount } = task.shape;
  const { soft, hard } = toTargets(
    gatherRows(task.teacher, rows, classCount),
    rows.map((row) => task.teacherClass[row]!),
    { classCount, temperature: settings.temperature },
  );
  for (const [i, row] of rows.entries()) {
    const j = Math.floor(random.uniform() * rows.length);
    const share = 0.5 * settings.mixup * random.uniform();
    mix(batch.x, i * featureCount, {
      from: task.x,
      first: row * featureCount,
      second: rows[j]! * featureCount,
      length: featureCount,
      share,
    });
    const classes = { first: i * classCount, second: j * classCount, length: classCount, share };
    mix(batch.soft, i * classCount, { from: soft, ...classes });
    mix(batch.hard, i * classCount, { from: hard, ...classes });
    batch.weight[i] = task.weight[row]!;
  }
  if (settings.inputDropout > 0) dropFeatures(batch.x, settings.inputDropout, random);
}

interface Mixture {
  readonly from: Float32Array;
  readonly first: number;
  readonly second: number;
  readonly length: number;
  /** Weight of the second. */
  readonly share: number;
}

function mix(out: Float32Array, at: number, { from, first, second, length, share }: Mixture): void {
  for (let k = 0; k < length; k++) {
    out[at + k] = (1 - share) * from[first + k]! + share * from[second + k]!;
  }
}

/** Sets each value to 0 with probability `share` (to 1 / 65,536) and scales the rest, two decisions a draw. */
function dropFeatures(x: Float32Array, share: number, random: Random): void {
  const limit = Math.round(share * 65536);
  const scale = 1 / (1 - share);
  let bits = 0;
  for (let i = 0; i < x.length; i++) {
    bits = i % 2 === 0 ? random.nextUint32() : bits >>> 16;
    x[i] = (bits & 0xffff) < limit ? 0 : x[i]! * scale;
  }
}
