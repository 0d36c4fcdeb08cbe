import type { BundleStudent, StudentInput } from '../../crds/wire/student.ts';
import { toFloat16 } from '../../operator/training/quantise.ts';
import { seededRandom } from './seeded-random.ts';

/** A student of two convolutions with random weights. */
export function aStudent(
  input: Partial<StudentInput> = {},
  classCount = 3,
  filters = [2, 3],
): BundleStudent {
  const random = seededRandom([7, classCount, ...filters]);
  const normals = (length: number): Float32Array =>
    Float32Array.from({ length }, () => 0.5 * random.normal());
  const whole: StudentInput = {
    ...{ layout: 'NCHW', channels: 2, height: 6, width: 5 },
    ...{ mean: [0.5, -0.25], scale: [2, 0.5] },
    ...input,
  };
  let inputs = whole.channels;
  return {
    input: whole,
    convolutions: filters.map((outputs, i) => {
      const weights = toFloat16(normals(9 * inputs * outputs), outputs);
      inputs = outputs;
      return { stride: i === 0 ? 1 : 2, weights, bias: normals(outputs) };
    }),
    dense: toFloat16(normals(inputs * classCount), classCount),
    denseBias: normals(classCount),
  };
}
