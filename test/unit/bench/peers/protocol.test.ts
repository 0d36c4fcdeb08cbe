import { describe, expect, test } from 'vitest';
import { firstDifference } from '../../../bench/peers/answers.ts';
import {
  namedJson,
  plainBytes,
  v2Binary,
  v2Json,
  type Protocol,
} from '../../../bench/peers/protocol.ts';

const ROW = Float32Array.of(1, 2, 3, 4);
const SHAPE = [2, 2];
const BYTES = Buffer.from(ROW.buffer);

function sent({ message }: Protocol): { readonly text: string; readonly body: Buffer } {
  const body = Buffer.from(message(ROW, SHAPE).body);
  return { body, text: body.toString() };
}

test('a row goes as a tensor of the inference protocol with the batch axis in front', () => {
  expect(JSON.parse(sent(v2Json()).text)).toEqual({
    inputs: [{ name: 'image', shape: [1, 2, 2], datatype: 'FP32', data: [1, 2, 3, 4] }],
  });
});

test('its binary form has a header of the length that it announces, and the bytes behind', () => {
  const message = v2Binary().message(ROW, SHAPE);
  const length = Number(message.headers['inference-header-content-length']);
  const { body } = sent(v2Binary());
  expect(JSON.parse(body.toString('utf8', 0, length))).toMatchObject({
    inputs: [{ shape: [1, 2, 2], parameters: { binary_data_size: 16 } }],
    parameters: { binary_data_output: true },
  });
  expect(body.subarray(length)).toEqual(BYTES);
});

test('plain bytes are the row and nothing else', () => {
  expect(sent(plainBytes('/infer')).body).toEqual(BYTES);
});

test('nested arrays have the shape of the row, in a batch of one', () => {
  expect(JSON.parse(sent(namedJson('/predict', 'input', 'output')).text)).toEqual({
    input: [
      [
        [1, 2],
        [3, 4],
      ],
    ],
  });
});

describe('scores are read', () => {
  const binaryHead = 'http/1.1 200 ok\r\ninference-header-content-length: 2';
  test.each<[string, Protocol, Buffer, string]>([
    ['from JSON tensors', v2Json(), Buffer.from('{"outputs":[{"data":[1,2,3,4]}]}'), ''],
    ['from binary tensors', v2Binary(), Buffer.concat([Buffer.from('{}'), BYTES]), binaryHead],
    ['from bytes', plainBytes('/'), BYTES, ''],
    [
      'from a named array',
      namedJson('/', 'i', 'output'),
      Buffer.from('{"output":[[1,2,3,4]]}'),
      '',
    ],
    ['from a bare array', namedJson('/', 'i', null), Buffer.from('[[1,2,3,4]]'), ''],
  ])('%s', (_, { scores }, body, head) => {
    expect(scores(body, head)).toEqual([1, 2, 3, 4]);
  });
});

test('a binary answer without its header is refused', () => {
  expect(() => v2Binary().scores(BYTES, 'http/1.1 200 ok')).toThrow('no binary tensors');
});

describe('an answer is the engine', () => {
  test('where it differs by rounding alone', () => {
    expect(firstDifference([1.00001, 100.001], [1, 100])).toBeNull();
  });

  test.each([
    ['a wrong score', [1, 2.01], 'score 1 is 2.01 instead of 2'],
    ['no number', [1, Number.NaN], 'score 1 is NaN instead of 2'],
    ['too few', [1], '1 scores instead of 2'],
  ])('but not with %s', (_, actual, why) => {
    expect(firstDifference(actual, [1, 2])).toBe(why);
  });
});
