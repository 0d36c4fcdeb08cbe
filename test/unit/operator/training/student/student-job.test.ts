import { expect, test } from 'vitest';
import { decodeHalf } from '../../../../../crds/wire/half-float.ts';
import { createStudentRunner } from '../../../../../operator/training/student/student-job.ts';
import {
  inputsOf,
  type StudentRows,
} from '../../../../../operator/training/student/student-rows.ts';
import type { StudentTrainer } from '../../../../../operator/training/student/student-trainer.ts';
import { convolutionShapes } from '../../../../../server/core/student/student-shape.ts';

const extent = { channels: 1, height: 4, width: 4 };
const rows: StudentRows = {
  ...{ extent, layout: 'NCHW', heldRows: 4 },
  inputs: Uint16Array.from({ length: 64 }, (_, at) => 0x3c00 + at),
  place: Int32Array.of(0, 1, 2, 3),
};
const convolutions = convolutionShapes(extent, [{ outputs: 2, stride: 2 }]);

/** One that learns nothing: what a job asks of it is the point. */
const trainer: StudentTrainer = {
  step: () =>
    Promise.resolve({
      loss: 0,
      moments: { mean: [new Float32Array(2)], variance: [new Float32Array(2).fill(1)] },
    }),
  weights: () => ({
    w0: new Float32Array(18),
    g0: Float32Array.of(1, 1),
    b0: Float32Array.of(0, 0),
    dense: new Float32Array(6),
    'dense.bias': new Float32Array(3),
  }),
  close: () => Promise.resolve(),
};

test.each([true, false])(
  'a job asks its student about validation rows, mirrored too: %s',
  async (asksMirrored) => {
    const asked: Float32Array[] = [];
    const run = createStudentRunner(
      () => Promise.resolve(trainer),
      (_, x, count) => {
        asked.push(x);
        return Promise.resolve(new Float32Array(3 * count).fill(asked.length));
      },
    );
    const validationRows = Uint32Array.of(1, 3);
    const found = await run({
      kind: 'Student',
      task: {
        ...{ convolutions, rows, trainingRows: Uint32Array.of(0, 2), seed: [1] },
        targets: {
          classCount: 3,
          teacher: new Float32Array(12).fill(Math.log(1 / 3)),
          teacherClass: new Uint32Array(4),
          weight: new Float32Array(4).fill(1),
        },
      },
      validationRows,
      settings: {
        ...{ alpha: 0.7, temperature: 2, weightDecay: 0, epochs: 2, batchRows: 1 },
        ...{ learningRate: 1e-2, shift: 0, flips: false },
      },
      asksMirrored,
    });
    expect(found.student.convolutions[0]!.stride).toBe(2);
    expect(found.validationLogits).toEqual(new Float32Array(6).fill(1));
    expect(found.mirroredLogits).toEqual(asksMirrored ? new Float32Array(6).fill(2) : null);
    const expected = [false, true].slice(0, asksMirrored ? 2 : 1);
    expect(asked).toEqual(expected.map((is) => decodeHalf(inputsOf(rows, validationRows, is))));
  },
);
