import { expect, test } from 'vitest';
import { readModel } from '../../../../../server/core/onnx/read-model.ts';
import { studentModel } from '../../../../../server/core/student/student-model.ts';
import {
  convolutionShapes,
  outExtent,
  studentMacs,
} from '../../../../../server/core/student/student-shape.ts';
import { aStudent } from '../../../../support/students.ts';

test.each([
  [32, 1, 32],
  [32, 2, 16],
  [7, 2, 4],
  [1, 2, 1],
] as const)('an extent of %i is at stride %i one of %i', (extent, stride, expected) => {
  expect(outExtent(extent, stride)).toBe(expected);
});

test('convolutions follow each other, and their work is counted by places and filters', () => {
  const shapes = convolutionShapes({ channels: 3, height: 8, width: 6 }, [
    { outputs: 4, stride: 2 },
    { outputs: 5, stride: 1 },
  ]);
  expect(shapes).toMatchObject([
    { inputs: 3, outputs: 4, height: 8, width: 6, outHeight: 4, outWidth: 3 },
    { inputs: 4, outputs: 5, height: 4, width: 3, outHeight: 4, outWidth: 3 },
  ]);
  expect(studentMacs(shapes, 10)).toBe(9 * 3 * 4 * 12 + 9 * 4 * 5 * 12 + 50);
  expect(studentMacs([], 10)).toBe(0);
});

test('equal students give equal files, which take the rows of their backbone', () => {
  const file = studentModel(aStudent());
  expect(studentModel(aStudent())).toEqual(file);
  const dimsOf = (bytes: Uint8Array): readonly number[] | null | undefined => {
    const read = readModel(bytes);
    return read.ok ? read.value.inputs[0]?.dims : undefined;
  };
  expect(dimsOf(file)).toEqual([-1, 2, 6, 5]);
  expect(dimsOf(studentModel(aStudent({ layout: 'NHWC' })))).toEqual([-1, 6, 5, 2]);
});
