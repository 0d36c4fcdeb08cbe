import { describe, expect, test } from 'vitest';
import {
  buildModel,
  floatTensor,
  floatValue,
  int64Tensor,
  node,
  type NodeLiteral,
} from '../../../../../server/core/onnx/build-model.ts';
import { findCuts, type CutSearch } from '../../../../../server/core/graph/find-cuts.ts';
import { traceFlow } from '../../../../../server/core/graph/graph-flow.ts';
import { tensorsToMeasure } from '../../../../../server/core/graph/live-places.ts';
import { macsBefore } from '../../../../../server/core/graph/macs-before.ts';
import type { ShapeTable } from '../../../../../server/core/graph/shape-table.ts';
import { ONNX_VOCABULARY } from '../../../../../server/core/onnx/macs.ts';
import { outputKind } from '../../../../../server/core/graph/output-kind.ts';
import { readModel, type OnnxModel } from '../../../../../server/core/onnx/read-model.ts';
import {
  messageField,
  textField,
  concatBytes,
} from '../../../../../server/core/onnx/wire-write.ts';

function modelOf(nodes: readonly NodeLiteral[], output = 'y'): OnnxModel {
  const bytes = buildModel({
    nodes,
    inputs: [floatValue('x', ['rows', 4])],
    outputs: [floatValue(output, null)],
    initializers: [floatTensor('w', [4, 4], new Float32Array(16)), int64Tensor('zero', [1], [0])],
  });
  return parsed(bytes);
}

function parsed(bytes: Uint8Array): OnnxModel {
  const result = readModel(bytes);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

type Shapes = Readonly<
  Record<
    string,
    readonly number[] | { type?: string; dims: readonly number[]; rowsFirst?: boolean }
  >
>;

/** Two rows; plain lists are float32 and rows-first. */
function shapesOf(shapes: Shapes): ShapeTable {
  return {
    rows: 2,
    shapeOf: new Map(
      Object.entries(shapes).map(([name, shape]) => [
        name,
        { type: 'float32', rowsFirst: true, ...('dims' in shape ? shape : { dims: shape }) },
      ]),
    ),
  };
}

function search(nodes: readonly NodeLiteral[], shapes: Shapes): CutSearch {
  const model = modelOf(nodes);
  return findCuts(model, traceFlow(model), shapesOf(shapes), ONNX_VOCABULARY);
}

const product = (from: string, to: string): NodeLiteral => node('MatMul', [from, 'w'], [to]);
const reasons = ({ rejected }: CutSearch): Record<string, string> =>
  Object.fromEntries(rejected.map(({ tensor, reason }) => [tensor, reason]));

describe('a chain', () => {
  const chain = [
    product('x', 'a'),
    node('Relu', ['a'], ['b']),
    product('b', 'c'),
    product('c', 'y'),
  ];
  const found = search(chain, { x: [2, 4], a: [2, 4], b: [2, 4], c: [2, 4], y: [2, 4] });

  test('is cut after the activation of each amount of work', () => {
    expect(found.macs).toBe(48);
    expect(found.cuts.map(({ tensor, macsShare }) => [tensor, macsShare])).toEqual([
      ['b', 1 / 3],
      ['c', 2 / 3],
    ]);
    expect(found.cuts[0]).toMatchObject({ channels: 4, height: 1, width: 1, rowDims: [4] });
    expect(reasons(found)).toEqual({ a: 'the same work is done as at b, which is the cut' });
  });

  test('asks for the shapes of what it cuts and counts', () => {
    const model = modelOf(chain);
    expect(tensorsToMeasure(model, traceFlow(model), ONNX_VOCABULARY)).toEqual([
      'a',
      'b',
      'c',
      'y',
    ]);
  });
});

test('a map is kept rather than what collapses it, though both have done the same work', () => {
  const nodes = [
    product('x', 'a'),
    node('Relu', ['a'], ['map']),
    node('GlobalAveragePool', ['map'], ['flat']),
    product('flat', 'y'),
  ];
  const map = [2, 4, 3, 5];
  const found = search(nodes, { x: [2, 4], a: map, map, flat: [2, 4, 1, 1], y: [2, 40] });
  expect(found.cuts).toMatchObject([{ tensor: 'map', channels: 4, height: 3, width: 5 }]);
});

test('a sequence has its tokens as height', () => {
  const found = search([product('x', 'a'), product('a', 'y')], {
    x: [2, 4],
    a: [2, 7, 4],
    y: [2, 4],
  });
  expect(found.cuts).toMatchObject([{ channels: 4, height: 7, width: 1 }]);
});

describe('no cut is', () => {
  const two = [product('x', 'a'), product('a', 'y')];
  const sized = { x: [2, 4], y: [2, 4] };

  test.each([
    ['a tensor of integers', { a: { dims: [2, 4], type: 'int64' } }, 'holds int64'],
    [
      'a tensor whose batch axis is not first',
      { a: { dims: [4, 2], rowsFirst: false } },
      'batch axis',
    ],
    ['a tensor of five dimensions', { a: { dims: [2, 1, 2, 2, 4] } }, 'has 5 dimensions'],
    ['a tensor of one dimension', { a: { dims: [2] } }, 'has 1 dimensions'],
    ['a tensor of which nothing is known', {}, 'holds unknown'],
  ])('%s', (_, shape, reason) => {
    const found = search(two, { ...sized, ...shape });
    expect(found.cuts).toEqual([]);
    expect(reasons(found).a).toContain(reason);
  });

  test('a tensor before any work', () => {
    const nodes = [node('Neg', ['x'], ['n']), product('n', 'y')];
    expect(reasons(search(nodes, { ...sized, n: [2, 4] })).n).toBe('nothing is computed before it');
  });

  test('a tensor after which nearly nothing is saved', () => {
    const nodes = [product('x', 'y0'), node('Neg', ['y0'], ['y'])];
    expect(reasons(search(nodes, { x: [2, 4], y0: [2, 4] })).y0).toContain('saves 0.0 %');
  });

  test('anything in a graph without multiply-adds', () => {
    const nodes = [node('Neg', ['x'], ['n']), node('Neg', ['n'], ['y'])];
    const found = search(nodes, { n: [2, 4] });
    expect([found.macs, found.cuts]).toEqual([0, []]);
  });

  test('a tensor whose later segments need a shape that does not follow from the rows', () => {
    const nodes = [
      product('x', 'odd'),
      node('Shape', ['odd'], ['s']),
      product('odd', 'a'),
      node('Reshape', ['a', 's'], ['y0']),
      product('y0', 'y'),
    ];
    const shapes = { x: [2, 4], a: [2, 4], y0: [2, 4], y: [2, 4] };
    const odd = { dims: [8, 1], rowsFirst: false };
    expect(reasons(search(nodes, { ...shapes, odd })).a).toContain('the shape of odd is needed');
    expect(search(nodes, { ...shapes, odd: [2, 4] }).cuts.map(({ tensor }) => tensor)).toEqual([
      'odd',
      'y0',
    ]);
  });

  test('a tensor that a control-flow body uses', () => {
    const plain = modelOf([product('x', 'a'), product('a', 'b'), product('b', 'y')]);
    const branch = messageField(1, [
      textField(1, 'a'),
      textField(2, 'b'),
      textField(4, 'If'),
      messageField(5, [
        textField(1, 'then_branch'),
        messageField(6, [
          messageField(1, [textField(1, 'a'), textField(2, 't'), textField(4, 'Neg')]),
        ]),
      ]),
    ]);
    const [first, , last] = plain.nodes.map(({ from, end }) => plain.bytes.subarray(from, end));
    const values = [11, 12].map((field) =>
      messageField(field, [textField(1, field === 11 ? 'x' : 'y')]),
    );
    const weights = messageField(5, [textField(8, 'w')]);
    const model = parsed(
      messageField(7, [concatBytes([first!, branch, last!]), weights, ...values]),
    );
    const shapes = { x: [2, 4], a: [2, 4], b: [2, 4], y: [2, 4], w: [4, 4] };
    const found = findCuts(model, traceFlow(model), shapesOf(shapes), ONNX_VOCABULARY);
    expect(reasons(found).a).toContain(
      'is used inside a control-flow body of the If that makes b; only plain operators can start from it',
    );
    expect(found.cuts.map(({ tensor }) => tensor)).toEqual(['b']);
  });
});

describe('a graph with a way around everything', () => {
  test('says what is needed beside', () => {
    const nodes = [
      product('x', 'a'),
      product('a', 'b'),
      node('Add', ['x', 'a'], ['c']),
      node('Add', ['c', 'b'], ['d']),
      node('Add', ['d', 'x'], ['y']),
    ];
    const shape = [2, 4];
    const found = search(nodes, { x: shape, a: shape, b: shape, c: shape, d: shape, y: shape });
    expect(found.cuts).toEqual([]);
    expect(reasons(found)).toMatchObject({
      a: 'not all of what goes on: x (last read by the Add that makes y) is needed after it as well',
      b: 'not all of what goes on: x (last read by the Add that makes y), a (last read by the Add that makes c) are needed after it as well',
    });
  });

  test('says that what is needed beside is an output of its own', () => {
    const bytes = buildModel({
      nodes: [product('x', 'first'), product('first', 'a'), product('a', 'y')],
      inputs: [floatValue('x', ['rows', 4])],
      outputs: [floatValue('y', null), floatValue('first', null)],
      initializers: [floatTensor('w', [4, 4], new Float32Array(16))],
    });
    const model = parsed(bytes);
    const shapes = shapesOf({ x: [2, 4], first: [2, 4], a: [2, 4], y: [2, 4] });
    const found = findCuts(model, traceFlow(model), shapes, ONNX_VOCABULARY);
    expect(reasons(found).a).toBe(
      'not all of what goes on: first (an output of the model) is needed after it as well',
    );
  });
});

test('what another export could change is said before what would save nothing', () => {
  const nodes = [node('Neg', ['x'], ['n']), product('n', 'a'), product('a', 'y')];
  const found = search(nodes, {
    ...{ x: [2, 4], n: [2, 4], y: [2, 4] },
    a: { type: 'float16', dims: [2, 4] },
  });
  expect(found.rejected.map(({ tensor }) => tensor)).toEqual(['a', 'n']);
});

describe('what values depend on', () => {
  const nodes = [
    node('Constant', [], ['k'], { value: { tensor: int64Tensor('k', [1], [4]) } }),
    node('Shape', ['x'], ['s']),
    node('Gather', ['s', 'zero'], ['rows']),
    node('Concat', ['rows', 'k'], ['wanted'], { axis: { int: 0 } }),
    node('Shape', ['w'], ['ws']),
    node('RandomNormal', [], ['noise']),
    node('Reshape', ['x', 'wanted'], ['y']),
    node('Neg', ['y'], ['unused']),
  ];
  const flow = traceFlow(modelOf(nodes));

  test('is the file, the shape of the rows, or the rows', () => {
    const kinds = ['k', 's', 'rows', 'wanted', 'ws', 'noise', 'y'].map((name) =>
      flow.kindOf.get(name),
    );
    expect(kinds).toEqual(['constant', 'shape', 'shape', 'shape', 'constant', 'row', 'row']);
  });

  test('is needed until the last node that reads it, shapes through what is made of them', () => {
    expect(flow.neededUntil.get('y')).toBe(8);
    expect(flow.shapeNeededUntil.get('x')).toBe(6);
    expect(flow.neededUntil.has('unused')).toBe(false);
  });
});

describe('multiply-adds of one row', () => {
  const dims: Readonly<Record<string, readonly number[]>> = {
    image: [2, 3, 8, 8],
    kernel: [16, 3, 3, 3],
    grouped: [16, 1, 3, 3],
    map: [2, 16, 8, 8],
    up: [3, 5, 2, 2],
    vector: [2, 12],
    matrix: [12, 5],
    scores: [2, 5],
  };
  const macs = (op: string, inputs: readonly string[], output: string): number => {
    const [literal] = modelOf([node(op, inputs, [output])]).nodes;
    return ONNX_VOCABULARY.macsOf(literal!, (name) => dims[name] ?? [], 2);
  };

  test.each([
    ['Conv', ['image', 'kernel'], 'map', 16 * 64 * 27],
    ['Conv', ['map', 'grouped'], 'map', 16 * 64 * 9],
    ['QLinearConv', ['image', '', '', 'kernel'], 'map', 16 * 64 * 27],
    ['ConvTranspose', ['image', 'up'], 'map', 3 * 64 * 20],
    ['MatMul', ['vector', 'matrix'], 'scores', 60],
    ['Gemm', ['vector', 'matrix'], 'scores', 60],
    ['Relu', ['map'], 'map', 0],
    ['Conv', ['strange', 'kernel'], 'strange', 0],
    ['Gemm', ['strange', 'matrix'], 'strange', 0],
  ] as const)('of %s %j are %s: %d', (op, inputs, output, expected) => {
    expect(macs(op, inputs, output)).toBe(expected);
  });

  test('of constants are none', () => {
    const model = modelOf([node('MatMul', ['w', 'w'], ['ww']), node('MatMul', ['x', 'ww'], ['y'])]);
    const shapes = shapesOf({ x: [2, 4], y: [2, 4], ww: { dims: [4, 4], rowsFirst: false } });
    expect(macsBefore(model, traceFlow(model), shapes, ONNX_VOCABULARY)).toEqual([0, 0, 16]);
  });
});

describe('the class output', () => {
  test.each([
    [[node('Softmax', ['x'], ['p']), node('Reshape', ['p', 'w'], ['y'])], 'Probabilities'],
    [[node('LogSoftmax', ['x'], ['y'])], 'LogProbabilities'],
    [[node('Softmax', ['x'], ['p']), node('Neg', ['p'], ['y'])], 'Logits'],
    [[node('Softmax', ['x'], ['other']), node('Identity', ['x'], ['y'])], 'Logits'],
  ] as const)('made by %j is %s', (nodes, kind) => {
    expect(outputKind(modelOf(nodes), 'y')).toBe(kind);
  });
});
