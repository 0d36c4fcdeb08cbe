import { describe, expect, test } from 'vitest';
import { findCuts } from '../../../../../server/core/graph/find-cuts.ts';
import { traceFlow } from '../../../../../server/core/graph/graph-flow.ts';
import { TFJS_VOCABULARY } from '../../../../../server/core/tfjs/macs.ts';
import { readGraph, type TfjsGraph } from '../../../../../server/core/tfjs/read-graph.ts';

type Attributes = Readonly<Record<string, object>>;

function node(name: string, op: string, input: readonly string[] = [], attr: Attributes = {}) {
  return { name, op, input, attr };
}

function placeholder(name: string, type: unknown = 'DT_FLOAT') {
  const shape = { shape: { dim: [{ size: '-1' }, { size: '4' }] } };
  return node(name, 'Placeholder', [], { dtype: { type }, shape });
}

function read(
  nodes: readonly unknown[],
  signature?: unknown,
  weights: Readonly<Record<string, readonly number[]>> = {},
) {
  return readGraph({ node: nodes }, signature, new Map(Object.entries(weights)));
}

function graphOf(...asked: Parameters<typeof read>): TfjsGraph {
  const found = read(...asked);
  if (!found.ok) throw new Error(found.message);
  return found.value;
}

const SIGNATURE = {
  inputs: { image: { name: 'x:0', dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: '-1' }, {}] } } },
  outputs: { scores: { name: 'y:0' } },
};

describe('a graph', () => {
  test('is named by its signature', () => {
    const graph = graphOf([placeholder('x'), node('y', 'Relu', ['x'])], SIGNATURE);
    expect(graph.input).toEqual({ name: 'image', tensor: 'x', dims: [-1, 0] });
    expect(graph.inputs).toEqual([{ name: 'x' }]);
    expect(graph.outputs).toEqual([{ name: 'y' }]);
    expect(graph.outputNames).toEqual(['scores']);
  });

  test('without a signature begins at its placeholder and ends at what nothing reads', () => {
    const graph = graphOf([
      placeholder('x', 1),
      node('y', 'Relu', ['x', '^z']),
      node('z', 'NoOp'),
      node('w', 'Const'),
    ]);
    expect(graph.input).toEqual({ name: 'x', tensor: 'x', dims: [-1, 4] });
    expect(graph.outputNames).toEqual(['y']);
  });

  test('may leave out the shape of its input, and the name of a tensor of its signature', () => {
    const graph = graphOf([node('x', 'Placeholder'), node('y', 'Relu', ['x'])], {
      inputs: { x: { dtype: 'DT_FLOAT' } },
    });
    expect(graph.input).toEqual({ name: 'x', tensor: 'x', dims: null });
  });

  test('is put in order, without what the outputs do not need', () => {
    const graph = graphOf(
      [
        node('y', 'AddV2', ['b', 'a:0']),
        node('b', 'Split', ['half', 'a']),
        node('c', 'Relu', ['b:1']),
        node('a', 'MatMul', ['x', 'w']),
        node('half', 'Const'),
        node('w', 'Const'),
        placeholder('x'),
      ],
      SIGNATURE,
      { w: [4, 4] },
    );
    expect(graph.nodes.map(({ outputs }) => outputs)).toEqual([['a'], ['b', 'b:1'], ['y']]);
    expect(graph.initializers).toEqual([
      { name: 'w', dims: [4, 4] },
      { name: 'half', dims: [] },
    ]);
    expect(graph.nodes.at(-1)!.inputs).toEqual(['b', 'a']);
  });

  test('has a node once that two others wait for, and takes a missing list of inputs for none', () => {
    const { input: none, ...source } = placeholder('x');
    expect(none).toEqual([]);
    const graph = graphOf([
      node('y', 'AddV2', ['a', 'b']),
      node('b', 'Relu', ['a']),
      node('a', 'Relu', ['x']),
      source,
    ]);
    expect(graph.nodes.flatMap(({ outputs }) => outputs)).toEqual(['a', 'b', 'y']);
  });

  test('has cuts in the layout of its maps', () => {
    const graph = graphOf(
      [
        placeholder('x'),
        node('a', 'Conv2D', ['x', 'k']),
        node('b', 'Conv2D', ['a', 'k']),
        node('y', 'Mean', ['b', 'k']),
        node('k', 'Const'),
      ],
      SIGNATURE,
      { k: [1, 1, 3, 3] },
    );
    const shape = (dims: readonly number[]) => ({ type: 'float32', dims, rowsFirst: true });
    const map = shape([2, 5, 6, 3]);
    const shapes = {
      rows: 2,
      shapeOf: new Map([
        ['x', map],
        ['a', map],
        ['b', map],
        ['y', shape([2, 3])],
      ]),
    };
    const { cuts, macs } = findCuts(graph, traceFlow(graph), shapes, TFJS_VOCABULARY);
    expect(macs).toBe(2 * 30 * 9);
    expect(cuts).toEqual([
      { tensor: 'a', macsShare: 0.5, channels: 3, height: 5, width: 6, rowDims: [5, 6, 3] },
    ]);
  });
});

describe('is refused:', () => {
  const x = placeholder('x');
  test.each([
    ['no nodes', [], 'ModelUnreadable', 'has a graph whose nodes have no name or operator'],
    ['a node that is none', [x, null], 'ModelUnreadable', 'nodes have no name'],
    ['a node without operator', [x, { name: 'y' }], 'ModelUnreadable', 'nodes have no name'],
    [
      'a loop',
      [x, node('y', 'Relu', ['z']), node('z', 'AddV2', ['x', 'y'])],
      'ModelUnreadable',
      'has a circle at node',
    ],
    ['a missing node', [x, node('y', 'Relu', ['q'])], 'ModelUnreadable', 'has no node q'],
    [
      'control flow',
      [x, node('y', 'StatelessWhile', ['x'])],
      'UnsupportedModel',
      'uses the operator StatelessWhile (y)',
    ],
    [
      'a selection',
      [x, node('y', 'NonMaxSuppressionV5', ['x'])],
      'UnsupportedModel',
      'whose work depends on values',
    ],
  ] as const)('%s', (_, nodes, code, message) => {
    const outcome = read(nodes, { outputs: { y: { name: 'y' } } });
    expect(outcome).toMatchObject({ ok: false, code });
    expect(outcome.ok ? '' : outcome.message).toContain(message);
  });

  test('two inputs', () => {
    const outcome = read([x, placeholder('z'), node('y', 'AddV2', ['x', 'z'])]);
    expect(outcome).toMatchObject({
      code: 'UnsupportedModel',
      message: 'has 2 inputs (x, z); export it with one input',
    });
  });

  test('no input', () => {
    expect(read([node('y', 'Const'), node('z', 'Relu', ['y'])])).toMatchObject({
      message: 'has 0 inputs (); export it with one input',
    });
  });

  test('an input of integers', () => {
    expect(read([placeholder('x', 'DT_INT32'), node('y', 'Relu', ['x'])])).toMatchObject({
      message: 'does not take float32 input; export it with float32 input',
    });
  });
});
