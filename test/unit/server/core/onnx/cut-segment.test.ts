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
import { traceFlow } from '../../../../../server/core/graph/graph-flow.ts';
import {
  HEAD_FEATURES,
  HEAD_LOGITS,
  headModel,
  NO_TAIL,
  pooledName,
  poolTail,
} from '../../../../../server/core/onnx/head-graph.ts';
import type { ShapeTable } from '../../../../../server/core/graph/shape-table.ts';
import { readModel } from '../../../../../server/core/onnx/read-model.ts';
import { runHead, type HeadWeights } from '../../../../../server/core/head.ts';
import { poolActivation } from '../../../../../server/core/pool.ts';
import { expectClose } from '../../../../support/expect-close.ts';
import { seededRandom } from '../../../../support/seeded-random.ts';

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
    const tail = poolTail({ tensor: 'x', rowDims, pools: [pool] });
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
    expect(found[pooledName(pool)]!.dims).toEqual([3, pool * pool * 6]);
    expectClose(found[pooledName(pool)]!.data as Float32Array, expected, { rel: 1e-5, abs: 1e-5 });
  });
});

test('pools of one cut are outputs of their own', async () => {
  const tail = poolTail({ tensor: 'x', rowDims: [6, 2, 2], pools: [1, 2] });
  const model = buildModel({ ...tail, inputs: [floatValue('x', ['rows', 6, 2, 2])] });
  const found = await run(model, { x: floats(2, 6, 2, 2) });
  expect(found[pooledName(1)]!.dims).toEqual([2, 6]);
  expect(found[pooledName(2)]!.dims).toEqual([2, 24]);
});

describe('a head as a model', () => {
  const vector = (values: readonly number[], dims = [values.length]): Tensor =>
    new Tensor('float32', Float32Array.from(values), dims);
  const linear: HeadWeights = {
    featureCount: 2,
    hidden: 0,
    classCount: 2,
    mean: Float32Array.of(0, 1),
    scale: Float32Array.of(1, 2),
    w1: Float32Array.of(1, 0, 0, 1),
    b1: Float32Array.of(0.5, 0),
    w2: null,
    b2: null,
  };

  test('clips at eight deviations and says NaN for a non-finite feature', async () => {
    const features = vector([100, 1, NaN, 0, 0, Infinity], [3, 2]);
    const found = await run(headModel(linear), { [HEAD_FEATURES]: features });
    expect([...(found[HEAD_LOGITS]!.data as Float32Array)]).toEqual([8.5, 0, NaN, NaN, NaN, NaN]);
  });

  test('with a hidden layer equals the definition', async () => {
    const random = seededRandom(5);
    const normals = (count: number): Float32Array =>
      Float32Array.from({ length: count }, () => random.uniform() - 0.5);
    const weights: HeadWeights = {
      ...linear,
      hidden: 64,
      w1: normals(128),
      b1: normals(64),
      w2: normals(128),
      b2: normals(2),
    };
    const features = vector([0.3, -2, 5, 40], [2, 2]);
    const found = await run(headModel(weights), { [HEAD_FEATURES]: features });
    const defined = runHead(weights, features.data as Float32Array, 2);
    expectClose(found[HEAD_LOGITS]!.data as Float32Array, defined, { rel: 1e-5, abs: 1e-5 });
  });
});
