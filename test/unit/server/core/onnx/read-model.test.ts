import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  anyValue,
  buildModel,
  floatTensor,
  floatValue,
  int64Tensor,
  node,
} from '../../../../../server/core/onnx/build-model.ts';
import { readModel, type OnnxModel } from '../../../../../server/core/onnx/read-model.ts';
import {
  bytesField,
  concatBytes,
  intField,
  messageField,
  textField,
  varint,
} from '../../../../../server/core/onnx/wire-write.ts';

function read(bytes: Uint8Array): OnnxModel {
  const result = readModel(bytes);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

const small = buildModel({
  nodes: [
    node('Conv', ['x', 'w', ''], ['c'], { group: { int: -3 }, pads: { ints: [1, -1] } }),
    node('Relu', ['c'], ['y'], { alpha: { float: 0.5 }, mode: { text: 'SAME' } }),
    node('Constant', [], ['k'], { value: { tensor: int64Tensor('k', [1], [-7]) } }),
    node('Other', ['y'], ['z'], { list: { floats: [1, 2] } }),
  ],
  inputs: [floatValue('x', ['rows', 3]), floatValue('w', [2])],
  outputs: [floatValue('y', null), anyValue('z')],
  initializers: [floatTensor('w', [2, 1], [1, 2])],
  opset: 15,
});

describe('a model that was written', () => {
  const model = read(small);

  test('comes back with its graph', () => {
    expect(model.irVersion).toBe(8);
    expect(model.opsets.map(({ domain, version }) => [domain, version])).toEqual([['', 15]]);
    expect(model.nodes.map(({ op, inputs, outputs }) => [op, inputs, outputs])).toEqual([
      ['Conv', ['x', 'w', ''], ['c']],
      ['Relu', ['c'], ['y']],
      ['Constant', [], ['k']],
      ['Other', ['y'], ['z']],
    ]);
    expect([...model.nodes[0]!.ints]).toEqual([['group', -3]]);
    expect(model.initializers).toMatchObject([{ name: 'w', dims: [2, 1], external: false }]);
  });

  test('does not count initialisers among its inputs', () => {
    expect(model.inputs).toEqual([{ name: 'x', type: 1, dims: [-1, 3] }]);
    expect(model.outputs).toEqual([
      { name: 'y', type: 1, dims: null },
      { name: 'z', type: 0, dims: null },
    ]);
  });
});

test('names that a body takes from the outer graph are seen, its own are not', () => {
  const body = [
    messageField(1, [
      textField(1, 'outer'),
      textField(1, 'own'),
      textField(1, ''),
      textField(2, 'made'),
    ]),
    messageField(5, [textField(8, 'own')]),
    messageField(11, [textField(1, 'given')]),
    messageField(12, [textField(1, 'made')]),
    messageField(12, [textField(1, 'passed')]),
  ];
  const loop = messageField(1, [
    textField(1, 'x'),
    textField(2, 'y'),
    textField(2, ''),
    textField(4, 'Loop'),
    textField(7, 'ai.onnx'),
    messageField(5, [textField(1, 'body'), messageField(6, body)]),
  ]);
  const model = read(messageField(7, [loop]));
  expect(model.nodes[0]).toMatchObject({
    captured: ['outer', 'passed'],
    hasSubgraph: true,
    outputs: ['y'],
    domain: 'ai.onnx',
  });
});

test('weights in other files, packed dims, functions and sparse weights are seen', () => {
  const graph = messageField(7, [
    messageField(5, [
      bytesField(1, concatBytes([varint(3), varint(300)])),
      textField(8, 'far'),
      messageField(13, [textField(1, 'location')]),
    ]),
    messageField(5, [textField(8, 'far too'), intField(14, 1)]),
    messageField(15, []),
  ]);
  const model = read(concatBytes([graph, messageField(25, [])]));
  expect(model.initializers).toMatchObject([
    { name: 'far', dims: [3, 300], external: true },
    { name: 'far too', external: true },
  ]);
  expect([model.sparseCount, model.functionCount]).toEqual([1, 1]);
});

test('fixed-width fields are stepped over', () => {
  const fixed = concatBytes([
    varint(30 * 8 + 1),
    new Uint8Array(8),
    varint(31 * 8 + 5),
    new Uint8Array(4),
  ]);
  expect(read(concatBytes([fixed, messageField(7, [])])).nodes).toEqual([]);
});

test.each([
  ['nothing', []],
  ['a length beyond the end', [0x3a, 5, 0]],
  ['an unfinished number', [0x08, 0x80]],
  ['a number of more than ten bytes', [0x08, ...Array<number>(11).fill(0x80)]],
  ['a wire type that does not exist', [0x3b]],
  ['a negative length', [0x3a, ...varint(-1)]],
])('%s is unreadable', (_, bytes) => {
  expect(readModel(Uint8Array.from(bytes))).toMatchObject({ ok: false, code: 'ModelUnreadable' });
});

test('bytes changed at random are read or refused, never thrown about', () => {
  fc.assert(
    fc.property(fc.nat(small.length - 1), fc.nat(255), (at, value) => {
      const changed = small.slice();
      changed[at] = value;
      expect(typeof readModel(changed).ok).toBe('boolean');
    }),
    { seed: 31, numRuns: 500 },
  );
});

test('a fault that is not the file’s is not hidden', () => {
  const broken = new Uint8Array(4);
  Object.defineProperty(broken, 'buffer', { value: null });
  expect(() => readModel(broken)).toThrow(TypeError);
});
