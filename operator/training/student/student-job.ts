import { decodeHalf } from '../../../crds/wire/half-float.ts';
import type { BundleStudent } from '../../../crds/wire/student.ts';
import { distillStudent, type StudentSettings, type StudentTask } from './distill-student.ts';
import { inputsOf } from './student-rows.ts';
import type { StudentRunner, StudentTrainerFactory } from './student-trainer.ts';

/** One student to train, self-contained and without functions: it may travel to a worker thread. */
export interface StudentJob {
  readonly kind: 'Student';
  readonly task: StudentTask;
  readonly validationRows: Uint32Array;
  readonly settings: StudentSettings;
  /** Also asks the student about mirrored validation rows. */
  readonly asksMirrored: boolean;
}

export interface TrainedStudent {
  readonly student: BundleStudent;
  /** [validation rows, classCount], of the network that is served. */
  readonly validationLogits: Float32Array;
  readonly mirroredLogits: Float32Array | null;
}

/** Runs a job somewhere: here, or on another thread. */
export type StudentJobRunner = (job: StudentJob) => Promise<TrainedStudent>;

/** Runs jobs in this thread. */
export function createStudentRunner(
  factory: StudentTrainerFactory,
  run: StudentRunner,
): StudentJobRunner {
  return async ({ task, validationRows, settings, asksMirrored }) => {
    const student = await distillStudent(task, settings, factory);
    const ask = (isMirrored: boolean): Promise<Float32Array> => {
      const x = decodeHalf(inputsOf(task.rows, validationRows, isMirrored));
      return run(student, x, validationRows.length);
    };
    return {
      student,
      validationLogits: await ask(false),
      mirroredLogits: asksMirrored ? await ask(true) : null,
    };
  };
}
