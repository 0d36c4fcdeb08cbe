import { expect, test } from 'vitest';
import type { InputBatch } from '../../../../../crds/wire/inputs.ts';
import { mergeSamples } from '../../../../../operator/training/dataset.ts';
import {
  heldOf,
  inputsOf,
  joinInputs,
  pictureOf,
  type StudentRows,
} from '../../../../../operator/training/student/student-rows.ts';
import { studentShapes } from '../../../../../operator/training/student/student-sizes.ts';
import { studentMacs } from '../../../../../server/core/student/student-shape.ts';
import { aDigest, BACKBONE_DIGEST } from '../../../../support/builders.ts';
import { aSampleBatch } from '../../../../support/sample-batches.ts';

const dataset = mergeSamples([aSampleBatch({ rows: 6 })], {
  backboneDigest: BACKBONE_DIGEST,
  classCount: 4,
});

function inputs(sequence: number[], fields: Partial<InputBatch> = {}): InputBatch {
  const rowShape = fields.rowShape ?? [1, 2, 3];
  const size = rowShape.reduce((product, extent) => product * extent, 1);
  return {
    schemaVersion: 1,
    ...{ podUid: 'pod-a', bootId: 'boot-1', backboneDigest: BACKBONE_DIGEST, rowShape },
    rowCount: sequence.length,
    nextAfter: sequence.at(-1) ?? 0,
    sequence: Float64Array.from(sequence),
    inputs: Uint16Array.from({ length: size * sequence.length }, (_, at) => {
      return 100 * sequence[Math.floor(at / size)]! + (at % size);
    }),
    ...fields,
  };
}

test.each([
  [[3, 32, 16], { layout: 'NCHW', extent: { channels: 3, height: 32, width: 16 } }],
  [[32, 16, 3], { layout: 'NHWC', extent: { channels: 3, height: 32, width: 16 } }],
  [[1, 28, 28], { layout: 'NCHW', extent: { channels: 1, height: 28, width: 28 } }],
  [[20, 20, 20], null],
  [[12], null],
  [[], null],
  [[3, 8, 8, 8], null],
] as const)('rows of %j are pictures or not', (rowShape, expected) => {
  expect(pictureOf(rowShape)).toEqual(expected);
});

test('inputs are joined by pod, boot and number; what fits nothing is left out', () => {
  const rows = joinInputs(
    dataset,
    [
      inputs([2, 5, 99]),
      inputs([1], { podUid: 'pod-b' }),
      inputs([3], { backboneDigest: aDigest(7) }),
      inputs([4], { rowShape: [1, 3, 3] }),
    ],
    BACKBONE_DIGEST,
  )!;
  expect([...rows.place]).toEqual([-1, 0, -1, -1, 1, -1]);
  expect([...rows.inputs]).toEqual([200, 201, 202, 203, 204, 205, 500, 501, 502, 503, 504, 505]);
  expect(rows.heldRows).toBe(2);
  expect([...heldOf(rows, Uint32Array.of(0, 1, 4, 5))]).toEqual([1, 4]);
});

test('no inputs, none that fit, and rows that are no pictures make nothing', () => {
  expect(joinInputs(dataset, [], BACKBONE_DIGEST)).toBeNull();
  expect(joinInputs(dataset, [inputs([99])], BACKBONE_DIGEST)).toBeNull();
  expect(joinInputs(dataset, [inputs([1], { rowShape: [6] })], BACKBONE_DIGEST)).toBeNull();
});

test.each([
  ['NCHW', [0, 1, 2, 10, 11, 12], [2, 1, 0, 12, 11, 10]],
  ['NHWC', [0, 1, 2, 10, 11, 12], [10, 11, 12, 0, 1, 2]],
] as const)('a mirror turns rows of a picture around, %s', (layout, values, mirrored) => {
  const extent =
    layout === 'NCHW' ? { channels: 1, height: 2, width: 3 } : { channels: 3, height: 1, width: 2 };
  const rows: StudentRows = {
    ...{ extent, layout, heldRows: 2 },
    inputs: Uint16Array.from([...values.map((value) => value + 100), ...values]),
    place: Int32Array.of(1, 0),
  };
  expect([...inputsOf(rows, Uint32Array.of(0), false)]).toEqual([...values]);
  expect([...inputsOf(rows, Uint32Array.of(0), true)]).toEqual([...mirrored]);
});

test('a student is as wide as its share of the work allows, and there is none below the narrowest', () => {
  const row = { channels: 3, height: 32, width: 32 };
  const backbone = { macs: 40e6, classCount: 10 };
  const wide = studentShapes(row, backbone, 0.1)!;
  const narrow = studentShapes(row, backbone, 0.05)!;
  const shareOf = (shapes: typeof wide): number => studentMacs(shapes, 10) / backbone.macs;
  expect(shareOf(wide)).toBeLessThanOrEqual(0.1);
  expect(shareOf(wide)).toBeGreaterThan(0.07);
  expect(narrow[0]!.outputs).toBeLessThan(wide[0]!.outputs);
  expect(wide.at(-1)).toMatchObject({ outHeight: 4, outWidth: 4 });
  expect(studentShapes(row, { macs: 1e5, classCount: 10 }, 0.1)).toBeNull();
});

test('small pictures keep their first maps whole, large ones are halved first', () => {
  const small = studentShapes(
    { channels: 1, height: 16, width: 16 },
    { macs: 1e7, classCount: 10 },
    1,
  )!;
  expect(small[0]).toMatchObject({ stride: 1, outHeight: 16 });
  const large = studentShapes(
    { channels: 3, height: 128, width: 96 },
    { macs: 1e8, classCount: 10 },
    1,
  )!;
  expect(large.slice(0, 3).map(({ stride }) => stride)).toEqual([2, 2, 2]);
});
