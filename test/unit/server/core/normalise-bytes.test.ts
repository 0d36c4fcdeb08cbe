import { expect, test } from 'vitest';
import { normaliseBytes, type ByteInput } from '../../../../server/core/normalise-bytes.ts';

const BYTES = Uint8Array.of(0, 51, 102, 153, 204, 255);

test.each<[string, ByteInput, number[]]>([
  ['no notes', { scale: 1, mean: [], std: [] }, [0, 51, 102, 153, 204, 255]],
  ['one number for all', { scale: 1 / 51, mean: [1], std: [2] }, [-0.5, 0, 0.5, 1, 1.5, 2]],
  [
    'channels first',
    { scale: 1 / 51, mean: [0, 1, 2], std: [1, 1, 1], layout: 'NCHW' },
    [0, 1, 1, 2, 2, 3],
  ],
  [
    'channels last',
    { scale: 1 / 51, mean: [0, 1, 2], std: [], layout: 'NHWC' },
    [0, 0, 0, 3, 3, 3],
  ],
])('bytes become numbers by %s', (_, notes, expected) => {
  const dims = notes.layout === 'NHWC' ? [1, 2, 3] : [3, 1, 2];
  const values = [...normaliseBytes(BYTES, dims, notes)];
  values.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 5);
  });
});
