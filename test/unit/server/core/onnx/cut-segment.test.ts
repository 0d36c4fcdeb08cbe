import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import {
  anyValue,
  buildModel,
  floatTensor,
  floatValue,
  int64Tensor,
  node,
} from '../../../../../server/core/onnx/build-model.ts';
import { cutSegment } from '../../../../../server/core/onnx/cut-segment.ts';
import { traceFlow } from '../../../../../server/core/onnx/graph-flow.ts';
import {
  headModel,
  headTail,
  NO_TAIL,
  POOLED_OUTPUT,
  slotNames,
} from '../../../../../server/core/onnx/head-graph.ts';
import type { ShapeTable } from '../../../../../server/core/onnx/macs.ts';
import { readModel } from '../../../../../server/core/onnx/read-model.ts';
import { poolActivation } from '../../../../../server/core/pool.ts';
import { expectClose } from '../../../../support/expect-close.ts';

/** x [rows, 2, 3] -> a -> b -> c -> ... -> y; shapes of a (before the cut) and of b (the cut) are needed after it. */
const bytes = buildModel({
  nodes: [
    node('Mul', ['x', 'two'], ['a']),
    node('Shape', ['a'], ['s']),
    node('Shape', ['a'], ['inner'], { start: { int: 1 } }),
    node('Flatten', ['a'], ['b']),
    node('Shape', ['b'], ['own']),
    node('Neg', ['b'], ['c']),
    node('Reshape', ['c', 's'], ['d']),
    node('Concat', ['first', 'inner'], ['again'], { axis: { int: 0 } }),
    node('Reshape', ['d', 'again'], ['e']),
    node('Reshape', ['e', 'own'], ['y']),
  ],
  inputs: [floatValue('x', ['rows', 2, 3])],
  outputs: [anyValue('y')],
  initializers: [
    floatTensor('two', [], [2]),
    int64Tensor('first', [1], [-1]),
    floatTensor('unused', [1], [0]),
  ],
  opset: 15,
});

const read = readModel(bytes);
if (!read.ok) throw new Error(read.message);
const model = read.value;
const flow = traceFlow(model);

function shapesOf(rowsFirst: boolean): ShapeTable {
  const shape = (dims: readonly number[]) => ({ type: 'float32', dims, rowsFirst });
  return {
    rows: 2,
    shapeOf: new Map([
      ['a', shape([2, 2, 3])],
      ['b', shape([2, 6])],
    ]),
  };
}

const none: ShapeTable = { rows: 2, shapeOf: new Map() };
const floats = (rows: number, ...rest: number[]): Tensor => {
  const size = rest.reduce((all, dim) => all * dim, rows);
  return new Tensor(
    'float32',
    Float32Array.from({ length: size }, (_, i) => i - 3),
    [rows, ...rest],
  );
};

async function run(segment: Uint8Array, feeds: Record<string, Tensor>) {
  const session = await InferenceSession.create(segment, { logSeverityLevel: 3 });
  const found = await session.run(feeds);
  await session.release();
  return found;
}

describe('a segment', () => {
  const toB = { input: floatValue('x', ['rows', 2, 3]), outputs: [anyValue('b')], tail: NO_TAIL };
  const fromB = { input: floatValue('b', ['rows', 6]), outputs: [anyValue('y')], tail: NO_TAIL };

  test('and the next one answer what the whole answers, for any number of rows', async () => {
    for (const rows of [1, 5]) {
      const x = floats(rows, 2, 3);
      const { b } = await run(cutSegment(model, flow, none, toB), { x });
      const { y } = await run(cutSegment(model, flow, shapesOf(true), fromB), { b: b! });
      const whole = await run(bytes, { x });
      expect(y!.dims).toEqual([rows, 6]);
      expect(y!.data).toEqual(whole.y!.data);
    }
  });

  test('holds what it needs and nothing else', () => {
    const cut = readModel(cutSegment(model, flow, none, toB));
    if (!cut.ok) throw new Error(cut.message);
    expect(cut.value.nodes.map(({ op }) => op)).toEqual(['Mul', 'Flatten']);
    expect(cut.value.initializers.map(({ name }) => name)).toEqual(['two']);
    expect(cut.value.opsets).toMatchObject([{ domain: '', version: 15 }]);
  });

  test('from the input copies shape nodes as they are', async () => {
    const whole = { ...toB, outputs: [anyValue('y')] };
    const { y } = await run(cutSegment(model, flow, none, whole), { x: floats(3, 2, 3) });
    expect(y!.dims).toEqual([3, 6]);
  });

  test('whose output does not follow from its input is a broken assumption', () => {
    const wrong = { ...fromB, outputs: [anyValue('a')] };
    expect(() => cutSegment(model, flow, shapesOf(true), wrong)).toThrow('does not follow from b');
    expect(() => cutSegment(model, flow, shapesOf(false), fromB)).toThrow('does not follow from b');
  });
});

describe('pooling of a cut', () => {
  const graph = (rowDims: readonly number[], pool: 1 | 2 | 4): Uint8Array => {
    const tail = headTail({ tensor: 'x', rowDims, slots: [], classCount: 3, samplePool: pool });
    return buildModel({ ...tail, inputs: [floatValue('x', ['rows', ...rowDims])], opset: 13 });
  };

  test.each([
    ['a vector', [6], 1, [1, 1]],
    ['a sequence', [5, 6], 1, [5, 1]],
    ['a map, whole', [6, 4, 4], 1, [4, 4]],
    ['a map, even cells', [6, 4, 8], 2, [4, 8]],
    ['a map, uneven cells', [6, 7, 5], 4, [7, 5]],
  ] as const)('of %s equals the definition', async (_, rowDims, pool, [height, width]) => {
    const x = floats(3, ...rowDims);
    const found = await run(graph(rowDims, pool), { x });
    const shape = { rows: 3, height, width, channels: 6 };
    const layout = rowDims.length === 3 ? 'NCHW' : 'NHWC';
    const expected = poolActivation(x.data as Float32Array, { ...shape, layout }, pool);
    expect(found[POOLED_OUTPUT]!.dims).toEqual([3, pool * pool * 6]);
    expectClose(found[POOLED_OUTPUT]!.data as Float32Array, expected, { rel: 1e-5, abs: 1e-5 });
  });
});

test('two heads of one pool share its nodes, and weights are inputs', () => {
  const slots = [
    { pool: 1, hidden: 0, featureCount: 6 },
    { pool: 1, hidden: 64, featureCount: 6 },
  ] as const;
  const tail = headTail({
    tensor: 'x',
    rowDims: [6, 2, 2],
    slots,
    classCount: 3,
    samplePool: null,
  });
  expect(tail.nodes.filter(({ op }) => op === 'GlobalAveragePool')).toHaveLength(1);
  expect(tail.inputs.map(({ name }) => name)).toEqual([
    ...(['mean', 'scale', 'w1', 'b1'] as const).map((input) => slotNames(0)[input]),
    ...(['mean', 'scale', 'w1', 'b1', 'w2', 'b2'] as const).map((input) => slotNames(1)[input]),
  ]);
  expect(tail.outputs.map(({ name }) => name)).toEqual([slotNames(0).logits, slotNames(1).logits]);
});

test('a head alone clips at eight deviations and says NaN for a non-finite feature', async () => {
  const head = headModel({ pool: 1, hidden: 0, featureCount: 2 }, 2);
  const name = slotNames(0);
  const vector = (values: readonly number[], dims = [values.length]): Tensor =>
    new Tensor('float32', Float32Array.from(values), dims);
  const found = await run(head, {
    features: vector([100, 1, NaN, 0, 0, Infinity], [3, 2]),
    [name.mean]: vector([0, 1]),
    [name.scale]: vector([1, 2]),
    [name.w1]: vector([1, 0, 0, 1], [2, 2]),
    [name.b1]: vector([0.5, 0]),
  });
  expect([...(found[name.logits]!.data as Float32Array)]).toEqual([8.5, 0, NaN, NaN, NaN, NaN]);
});
