/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers come from the split */
import type { ConvolutionShape } from '../../../server/core/student/student-shape.ts';
import { studentModel } from '../../../server/core/student/student-model.ts';
import { studentMacs } from '../../../server/core/student/student-shape.ts';
import { agreement } from '../agreement.ts';
import type { Dataset } from '../dataset.ts';
import { createSha256 } from '../sha256.ts';
import type { Split } from '../split.ts';
import type { StudentSettings, StudentTask } from './distill-student.ts';
import type { StudentJobRunner, TrainedStudent } from './student-job.ts';
import { heldOf, type StudentRows } from './student-rows.ts';
import { studentShapes } from './student-sizes.ts';

/** Work of students that are tried, in shares of the backbone's. */
const SHARES = [0.05, 0.1] as const;
/** Fewer rows with their inputs make no student that a score could trust. */
const LEAST_TRAINING_ROWS = 1_000;
const LEAST_VALIDATION_ROWS = 200;
/** Rows x epochs x multiply-adds of one student: about five minutes of a core. Counted, not timed, so that digests are equal. */
const MOST_WORK = 1.6e12;
const MOST_EPOCHS = 40;
const LEAST_EPOCHS = 16;

/**
 * Measured on ResNet-20 and 10,000 rows of CIFAR-10 (see operator/README.md): students of 5 % of the work agree with the backbone on
 * 71 % of unseen rows after 40 epochs.
 */
const SETTINGS: Omit<StudentSettings, 'epochs' | 'flips'> = {
  alpha: 0.7,
  temperature: 8,
  weightDecay: 1e-3,
  batchRows: 128,
  learningRate: 5e-3,
  shift: 0.125,
};
/** A short look at whether rows and their mirror images are alike. */
const TRIAL_EPOCHS = 4;
/** A student that never saw mirrored rows agrees on them nearly as often, where a mirror changes nothing. */
const MIRRORED_AGREEMENT = 0.95;

/** A student with what choosing it needs. */
export interface StudentFound extends TrainedStudent {
  readonly macs: number;
  /** Of the file that servers build of it. */
  readonly modelDigest: string;
}

export interface StudentsTask {
  readonly dataset: Dataset;
  readonly split: Split;
  readonly rows: StudentRows;
  readonly backboneMacs: number;
  readonly seed: readonly number[];
}

/** Students worth choosing from, or why there are none. */
export type StudentsOutcome =
  | {
      readonly ok: true;
      readonly students: readonly StudentFound[];
      readonly validationRows: Uint32Array;
      readonly backboneMacs: number;
    }
  | { readonly ok: false; readonly message: string };

/** Trains a few sizes side by side on the rows whose inputs are held. Deterministic for equal task and runner. */
export async function trainStudents(
  task: StudentsTask,
  runJob: StudentJobRunner,
): Promise<StudentsOutcome> {
  const { dataset, split, rows, backboneMacs, seed } = task;
  const { classCount } = dataset;
  const trainingRows = heldOf(rows, split.training);
  const validationRows = heldOf(rows, split.validation);
  if (trainingRows.length < LEAST_TRAINING_ROWS || validationRows.length < LEAST_VALIDATION_ROWS) {
    const message = `Servers hold the inputs of ${trainingRows.length + validationRows.length} of ${dataset.rowCount} rows, which is too few for a student: raise heads.training.inputs.`;
    return { ok: false, message };
  }
  const sizes = sizesFor(rows, { macs: backboneMacs, classCount }, trainingRows.length);
  const [smallest] = sizes;
  if (smallest === undefined) {
    return { ok: false, message: 'The backbone is too small for a student before it.' };
  }
  const taskOf = (convolutions: readonly ConvolutionShape[], index: number): StudentTask => ({
    convolutions,
    rows,
    targets: dataset,
    trainingRows,
    seed: [...seed, 1000 + index],
  });
  const flips = await areMirroredAlike(taskOf(smallest, 0));
  const students = await Promise.all(
    sizes.map(async (convolutions, index) => {
      const macs = studentMacs(convolutions, classCount);
      const settings = { ...SETTINGS, flips, epochs: epochsFor(trainingRows.length, macs) };
      const found = await runJob({
        kind: 'Student',
        task: taskOf(convolutions, index),
        validationRows,
        settings,
        asksMirrored: false,
      });
      const bytes = studentModel(found.student);
      return { ...found, macs, modelDigest: `sha256:${createSha256().update(bytes).hex()}` };
    }),
  );
  return { ok: true, students, validationRows, backboneMacs };

  async function areMirroredAlike(trial: StudentTask): Promise<boolean> {
    const settings = { ...SETTINGS, flips: false, epochs: TRIAL_EPOCHS };
    const { validationLogits, mirroredLogits } = await runJob({
      ...{ kind: 'Student', task: trial, validationRows, settings, asksMirrored: true },
    });
    const classes = validationRows.map((row) => dataset.teacherClass[row]!);
    const agreed = (logits: Float32Array): number =>
      classes.length - agreement(logits, classes, { classCount, budget: 1 }).disagreements;
    // Asked for, so there.
    return agreed(mirroredLogits!) >= MIRRORED_AGREEMENT * agreed(validationLogits);
  }
}

/** The smallest first; one that cannot be trained for long enough is made narrower. */
function sizesFor(
  { extent }: StudentRows,
  backbone: { readonly macs: number; readonly classCount: number },
  trainingRows: number,
): readonly (readonly ConvolutionShape[])[] {
  const mostShare = MOST_WORK / (trainingRows * LEAST_EPOCHS) / backbone.macs;
  const shares = [...new Set(SHARES.map((share) => Math.min(share, mostShare)))];
  return shares.flatMap((share) => {
    const shapes = studentShapes(extent, backbone, share);
    return shapes === null ? [] : [shapes];
  });
}

function epochsFor(trainingRows: number, macs: number): number {
  const affordable = Math.round(MOST_WORK / (trainingRows * macs));
  return Math.max(LEAST_EPOCHS, Math.min(MOST_EPOCHS, affordable));
}
