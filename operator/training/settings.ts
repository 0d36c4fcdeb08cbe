import type { DistillSettings } from './distill.ts';

// Measured on the ResNet-20 of CIFAR-10 (8,000 training rows, p 4, hidden 256), mean over four exits of the share of rows
// that may leave at 1 % disagreement: T 2, rate 1e-3, batch 256: 0.35; T 8, rate 3e-3: 0.40; with features dropped and rows
// mixed 0.42; batch 128: 0.424; T 16, rate 6e-3: 0.440; weights averaged, rate not below 2e-3, 40 epochs: 0.447. Without
// averaging: T 32 0.440, dropping 0.1 or 0.3 0.421, 60 epochs 0.434. A higher temperature makes a head learn the backbone's
// whole row of logits, not only its first class.

/** Training in full. */
export const FULL_TRAINING: DistillSettings = {
  alpha: 0.7,
  temperature: 16,
  weightDecay: 1e-4,
  epochs: 40,
  batchRows: 128,
  learningRate: 6e-3,
  finalLearningRate: 2e-3,
  patience: 10,
  inputDropout: 0.2,
  mixup: 1,
  averaging: 0.9,
  keeps: 'Best',
};

/** Rung one of the search: cheap, without regularisation, which five epochs do not need. */
export const TRIAL_TRAINING: DistillSettings = {
  ...FULL_TRAINING,
  epochs: 5,
  patience: 5,
  finalLearningRate: 1e-5,
  inputDropout: 0,
  mixup: 0,
  averaging: 0,
};

/** Rows that rung one trains on, and as many judge. */
export const TRIAL_ROWS = 4000;

/** Fewest epochs in full, however large head and samples are. */
const LEAST_EPOCHS = 15;
/** Rows x epochs x multiply-adds of one head in full: about 10 s of a core. Counted, not timed, so that digests are equal. */
const MOST_WORK = 64e9;

/** Whether a head trained in full costs at most half of the most that one may cost. */
export function isCheapToTrain(rows: number, macs: number): boolean {
  return 2 * rows * macs * fullTraining(rows, macs).epochs <= MOST_WORK;
}

/** Training in full, with fewer epochs where a head is wide or rows are many. */
export function fullTraining(rows: number, macs: number): DistillSettings {
  const affordable = Math.round(MOST_WORK / (rows * macs));
  const epochs = Math.max(LEAST_EPOCHS, Math.min(FULL_TRAINING.epochs, affordable));
  return { ...FULL_TRAINING, epochs };
}

/** Share of rows that validates: chooses epochs, shapes, exits, and fits scores. */
export const VALIDATION_SHARE = 0.2;

/** Rows answered within this many minutes stay on one side of the split. */
export const GROUP_MINUTES = 1;

/** Fewer rows cannot be split and fitted at all: validation would be under 40 rows. Enough rows is the caller's rule. */
export const LEAST_ROWS = 200;

/** Once more in full, on validation rows too: 10,000 rows instead of 8,000 let 1.0 points more rows leave (ResNet-20, measured). */
export function finalTraining(rows: number, macs: number): DistillSettings {
  return { ...fullTraining(rows, macs), keeps: 'Last' };
}
