import { describe, expect, test } from 'vitest';
import { toHalf } from '../../../../../crds/wire/half-float.ts';
import { createRowEncoder } from '../../../../../operator/local/traffic/row-encoder.ts';
import { memorySource, type Element } from '../../../../../operator/local/traffic/source.ts';

function encodeFirst(
  source: { rowShape: readonly number[]; element: Element; rows: Uint8Array },
  model: { datatype: string; shape: readonly number[] },
  input = {},
): number[] {
  const traffic = memorySource({ name: 'rows', labels: null, ...source }, Buffer.from(source.rows));
  const encoder = createRowEncoder(traffic, [{ name: 'image', ...model }], { input });
  // An odd offset: the tensor follows a header of any length.
  const target = new Uint8Array(encoder.rowBytes + 3);
  encoder.encode(traffic.readRow(0), target, 3);
  const bytes = target.slice(3);
  return encoder.datatype === 'UINT8' ? [...bytes] : [...new Float32Array(bytes.buffer)];
}

const sixBytes = Uint8Array.from([1, 2, 3, 4, 5, 6]);

describe('rows of bytes', () => {
  test('become float32 as they are without a description', () => {
    const row = encodeFirst(
      { rowShape: [6], element: 'u1', rows: sixBytes },
      { datatype: 'FP32', shape: [-1, 6] },
    );
    expect(row).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('move their channels to the front: height 1, width 2, three channels', () => {
    const row = encodeFirst(
      { rowShape: [1, 2, 3], element: 'u1', rows: sixBytes },
      { datatype: 'FP32', shape: [-1, 3, 1, 2] },
      { layout: 'NCHW' },
    );
    expect(row).toEqual([1, 4, 2, 5, 3, 6]);
  });

  test('move their channels to the end', () => {
    const row = encodeFirst(
      { rowShape: [3, 1, 2], element: 'u1', rows: sixBytes },
      { datatype: 'UINT8', shape: [-1, 1, 2, 3] },
      { layout: 'NHWC' },
    );
    expect(row).toEqual([1, 3, 5, 2, 4, 6]);
  });

  test('are scaled, centred and divided per channel as layercache.json says', () => {
    const row = encodeFirst(
      { rowShape: [1, 2, 3], element: 'u1', rows: sixBytes },
      { datatype: 'FP32', shape: [-1, 3, 1, 2] },
      { layout: 'NCHW', scale: 2, mean: [2, 4, 6], std: [1, 2, 3] },
    );
    // (raw * 2 - mean) / std, channel by channel
    expect(row).toEqual([0, 6, 0, 3, 0, 2]);
  });

  test('with channels last are normalised along the last axis, one value for all channels', () => {
    const row = encodeFirst(
      { rowShape: [1, 2, 3], element: 'u1', rows: sixBytes },
      { datatype: 'FP32', shape: [-1, 1, 2, 3] },
      { layout: 'NHWC', mean: [1] },
    );
    expect(row).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

test('rows of half floats are widened and not normalised', () => {
  const rows = Uint16Array.from([toHalf(0.5), toHalf(-2)]);
  const row = encodeFirst(
    { rowShape: [2], element: 'f2', rows: new Uint8Array(rows.buffer) },
    { datatype: 'FP32', shape: [-1, 2] },
    { scale: 7 },
  );
  expect(row).toEqual([0.5, -2]);
});

test.each([
  [
    'a wrong shape',
    { rowShape: [2, 3], datatype: 'FP32', shape: [-1, 3, 3] },
    'a row is (2, 3), but input image takes (any, 3, 3).',
  ],
  [
    'a type that no row has',
    { rowShape: [6], datatype: 'INT64', shape: [-1, 6] },
    'the backbone takes INT64 and the rows are u1.',
  ],
])('%s is said in one paragraph', (_, { rowShape, ...model }, why) => {
  expect(() => encodeFirst({ rowShape, element: 'u1', rows: sixBytes }, model)).toThrow(why);
});

test('a backbone with two inputs is not fed', () => {
  const traffic = memorySource(
    { name: 'rows', labels: null, rowShape: [6], element: 'u1' },
    Buffer.from(sixBytes),
  );
  const input = { name: 'a', datatype: 'FP32', shape: [-1, 6] };
  expect(() => createRowEncoder(traffic, [input, input], {})).toThrow('the backbone has 2 inputs');
});
