// The selector of Gati (Balasubramanian et al., arXiv 2101.07344): a second small network reads what the predictor of a layer says and
// learns whether it is a hit. Ours reads its class probabilities, in order of size and as they are, and has 64 hidden units.
import { createOnnxTrainer } from '../../../../operator/trainer/onnx-step.ts';
import type { DenseWeights } from '../../../../operator/training/dense-trainer.ts';
import { distill, type DistillSettings } from '../../../../operator/training/distill.ts';
import { FULL_TRAINING } from '../../../../operator/training/settings.ts';
import { calibratedOutput } from '../../../../server/core/score.ts';

/** Per row: logit of "hit". */
export type Selector = (logits: Float32Array) => Promise<Float64Array>;

const HIDDEN = 64;
const SETTINGS: DistillSettings = {
  ...FULL_TRAINING,
  ...{ alpha: 0, temperature: 1, inputDropout: 0, mixup: 0, epochs: 30 },
  ...{ learningRate: 1e-3, finalLearningRate: 1e-5, patience: 30, keeps: 'Last' },
};

/** Multiply-adds of a selector. */
export function selectorMacs(classCount: number): number {
  return HIDDEN * (2 * classCount + 2);
}

/** Learns on rows that the head had not seen. @param agrees 1 where the head named the backbone's class. */
export async function fitSelector(
  logits: Float32Array,
  agrees: Uint8Array,
  classCount: number,
): Promise<Selector> {
  const shape = { featureCount: 2 * classCount, hidden: HIDDEN, classCount: 2 } as const;
  const rows = agrees.length;
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  const task = {
    shape,
    x: inputsOf(logits, classCount),
    // Sure of the one class that it is.
    teacher: Float32Array.from({ length: 2 * rows }, (_, i) => {
      const isHit = agrees[i >> 1]! > 0;
      return (i % 2 === 1) === isHit ? 0 : -60;
    }),
    teacherClass: Uint32Array.from(agrees),
    weight: new Float32Array(rows).fill(1),
    ...{ trainingRows: all, validationRows: all, budget: 0.01, seed: [1] },
  };
  const { weights } = await distill(task, SETTINGS, createOnnxTrainer);
  return (others) => answer(weights, inputsOf(others, classCount));

  async function answer(learnt: DenseWeights, x: Float32Array): Promise<Float64Array> {
    const trainer = await createOnnxTrainer(shape, learnt, SETTINGS);
    const z = await trainer.logits(learnt, x, x.length / shape.featureCount);
    await trainer.close();
    return Float64Array.from({ length: z.length / 2 }, (_, row) => z[2 * row + 1]! - z[2 * row]!);
  }
}

/** [rows, 2 classCount]: log-probabilities as they are, then from the largest down, a tenth of their size. */
function inputsOf(logits: Float32Array, classCount: number): Float32Array {
  const rows = logits.length / classCount;
  const x = new Float32Array(2 * rows * classCount);
  for (let row = 0; row < rows; row++) {
    const output = calibratedOutput(logits, row * classCount, classCount, {
      temperature: 1,
      kind: 'LogProbabilities',
    }).map((value) => Math.max(-60, value) / 10);
    x.set(output, 2 * row * classCount);
    x.set(output.slice().sort().reverse(), (2 * row + 1) * classCount);
  }
  return x;
}
