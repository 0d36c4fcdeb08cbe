import { expect, test } from 'vitest';
import { classScores } from '../../../../../operator/local/answer-output.ts';
import { createInferCodec } from '../../../../../operator/local/replay/infer-codec.ts';
import type { RowEncoder } from '../../../../../operator/local/traffic/row-encoder.ts';

const LOGITS = classScores('logits');

const encoder: RowEncoder = {
  inputName: 'image',
  datatype: 'UINT8',
  rowShape: [2, 2],
  rowBytes: 4,
  encode: (raw, target, offset) => {
    target.set(raw, offset);
  },
};

test('a request is JSON padded to eight bytes, then the rows', () => {
  const codec = createInferCodec(encoder, LOGITS);
  const { headerLength, body } = codec.encode(
    [Buffer.from([1, 2, 3, 4]), Buffer.from([5, 6, 7, 8])],
    'auto',
  );
  expect(headerLength % 8).toBe(0);
  expect(JSON.parse(body.toString('utf8', 0, headerLength))).toEqual({
    inputs: [
      { name: 'image', shape: [2, 2, 2], datatype: 'UINT8', parameters: { binary_data_size: 8 } },
    ],
    outputs: [{ name: 'logits', parameters: { binary_data: true } }],
  });
  expect([...body.subarray(headerLength)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test('opting out is a parameter of the request', () => {
  const { headerLength, body } = createInferCodec(encoder, LOGITS).encode(
    [Buffer.alloc(4)],
    'backbone',
  );
  expect(JSON.parse(body.toString('utf8', 0, headerLength))).toMatchObject({
    parameters: { layercache_mode: 'backbone' },
  });
});

function answer(
  parameters: object,
  floats: readonly number[],
): { headerLength: number; body: Buffer } {
  const text = JSON.stringify({
    model_name: 'm',
    parameters,
    outputs: [
      { name: 'other', datatype: 'FP32', shape: [2, 1], parameters: { binary_data_size: 4 } },
      { name: 'logits', datatype: 'FP32', shape: [2, 2], parameters: { binary_data_size: 16 } },
    ],
  });
  const values = Buffer.from(Float32Array.from(floats).buffer);
  return {
    headerLength: text.length,
    body: Buffer.concat([Buffer.from(text), Buffer.alloc(4), values]),
  };
}

test('an answer names class, exit, policy and head revision, at any alignment', () => {
  const { headerLength, body } = answer(
    { layercache_exit: 'block2', layercache_policy: '1.4', layercache_head_revision: 'sha256:x' },
    [0.5, 2, 3, 1],
  );
  expect(createInferCodec(encoder, LOGITS).decode(headerLength, body, 2)).toEqual({
    exit: 'block2',
    policy: '1.4',
    headRevision: 'sha256:x',
    classIds: [1, 0],
  });
});

test('of answers that can be partly right each row keeps its part', () => {
  const { headerLength, body } = answer({}, [0.5, 2, 3, 1]);
  const keep = (row: Float32Array): Float32Array => row.slice(0, 1);
  const output = { ...LOGITS, parts: { keep, lossTenthsOf: () => 0 } };
  const { parts } = createInferCodec(encoder, output).decode(headerLength, body, 2);
  expect(parts).toEqual([Float32Array.of(0.5), Float32Array.of(3)]);
});

test('an answer without the class output is an error', () => {
  const { headerLength, body } = answer({}, [0, 0, 0, 0]);
  expect(() =>
    createInferCodec(encoder, { ...LOGITS, name: 'scores' }).decode(headerLength, body, 2),
  ).toThrow('the answer has no output scores');
});
