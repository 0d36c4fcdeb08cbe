import type { DistillSettings } from './distill.ts';

// Measured on the ResNet-20 of CIFAR-10 (10,000 rows, five exits, p 4, hidden 256; mean share of rows that leaves at 1 %):
// T 2 with rate 1e-3 0.347; rate 3e-3 0.362; T 4 0.388; T 8 0.411; T 8 with features dropped 0.429; and rows mixed 0.431;
// T 16 0.421. A higher temperature makes the head learn the backbone's whole row of logits, not only its first class.

/** Training in full. */
export const FULL_TRAINING: DistillSettings = {
  alpha: 0.7,
  temperature: 8,
  weightDecay: 1e-4,
  epochs: 30,
  batchRows: 128,
  learningRate: 3e-3,
  finalLearningRate: 1e-5,
  patience: 10,
  inputDropout: 0.2,
  mixup: 1,
};

/** Rung one of the search: cheap, without regularisation, which five epochs do not need. */
export const TRIAL_TRAINING: DistillSettings = {
  ...FULL_TRAINING,
  epochs: 5,
  patience: 5,
  inputDropout: 0,
  mixup: 0,
};

/** Rows that rung one trains on. */
export const TRIAL_ROWS = 4000;

/** Share of rows that validates: chooses epochs, shapes, exits, and fits scores. */
export const VALIDATION_SHARE = 0.2;

/** Rows answered within this many minutes stay on one side of the split. */
export const GROUP_MINUTES = 1;

/** Fewer rows cannot be split and fitted at all: validation would be under 40 rows. Enough rows is the caller's rule. */
export const LEAST_ROWS = 200;
