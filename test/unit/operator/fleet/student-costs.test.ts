import { expect, test } from 'vitest';
import { headMacs, pathCosts } from '../../../../operator/fleet/model-costs.ts';
import { convolutionShapes, studentMacs } from '../../../../server/core/student/student-shape.ts';
import { aStudent } from '../../../support/students.ts';
import { aBundle, aCompanion, aState } from '../../crds/documents.ts';

test('a student that no server runs yet is priced by its work, which its bundle tells', () => {
  const { classCount } = aBundle();
  const student = aStudent({}, classCount);
  const head = { ...aCompanion(), exit: 'student', student };
  const layers = student.convolutions.map(({ stride, bias }) => ({ outputs: bias.length, stride }));
  const macs = studentMacs(convolutionShapes(student.input, layers), classCount);
  expect(headMacs(head, classCount)).toBe(macs);
  const state = { ...aState(), costs: null };
  const share = macs / state.backbone.macs;
  expect(pathCosts({ ...aBundle(), heads: [head] }, state, 1)).toEqual([share, 1 + share]);
});
