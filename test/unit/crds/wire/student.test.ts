import { expect, test } from 'vitest';

import {
  encodeHeadBundle,
  parseHeadBundle,
  type BundleHead,
} from '../../../../crds/wire/head-bundle.ts';
import { toInt8 } from '../../../../operator/training/quantise.ts';
import { aStudent } from '../../../support/students.ts';
import { aBundle, aCompanion } from '../documents.ts';

const { classCount } = aBundle();

/** A bundle with a student before its heads. */
function withStudent(fields: Partial<BundleHead> = {}): ReturnType<typeof aBundle> {
  const student = aStudent({}, classCount);
  const head: BundleHead = { ...aCompanion(), exit: 'student', student, ...fields };
  return aBundle({ heads: [head, ...aBundle().heads] });
}

function outcomeOf(fields: Partial<BundleHead>): string {
  const outcome = parseHeadBundle(encodeHeadBundle(withStudent(fields)));
  return outcome.ok ? 'accepted' : outcome.message;
}

const student = aStudent({}, classCount);
const [first, second] = student.convolutions;

test('a student survives the round trip, in half floats and in bytes', () => {
  const bytes = toInt8(new Float32Array(student.dense.rows * classCount).fill(0.5), classCount);
  for (const own of [student, { ...student, dense: bytes }]) {
    const bundle = withStudent({ student: own });
    expect(parseHeadBundle(encodeHeadBundle(bundle))).toEqual({ ok: true, value: bundle });
  }
});

test('a bundle without one is written as before there were students', () => {
  expect(Buffer.from(encodeHeadBundle(aBundle())).includes('student')).toBe(false);
});

test.each<[string, Partial<BundleHead>, RegExp]>([
  ['weights under another name', { exit: 'small' }, /exit student is a companion with its weights/],
  [
    'a convolution that does not follow the one before',
    { student: { ...student, convolutions: [second!, first!] } },
    /student\.convolutions\[0\]\.weights has shape \[18,3\]|has shape \[18,2\]/,
  ],
  [
    'a bias that is not finite',
    { student: { ...student, denseBias: new Float32Array(classCount).fill(NaN) } },
    /mean or bias is not finite/,
  ],
  [
    'a weight that is not finite',
    {
      student: {
        ...student,
        dense: { ...student.dense, values: student.dense.values.map(() => 0x7c00) } as never,
      },
    },
    /a weight or its scale is not finite/,
  ],
  [
    'a channel without its mean',
    { student: { ...student, input: { ...student.input, mean: [0] } } },
    /one number per channel/,
  ],
  ['no convolution', { student: { ...student, convolutions: [] } }, /convolutions/],
  [
    'a scale of zero',
    { student: { ...student, input: { ...student.input, scale: [0, 1] } } },
    /scale/,
  ],
])('a bundle is refused for %s', (_, fields, message) => {
  expect(outcomeOf(fields)).toMatch(message);
});

test('a companion of the manifest must not be called student', () => {
  const named = { ...aCompanion(), exit: 'student' };
  const bundle = aBundle({ heads: [named, ...aBundle().heads] });
  expect(parseHeadBundle(encodeHeadBundle(bundle))).toMatchObject({ ok: false });
});
