import { TfjsGraphWriter, type TfjsTestModel } from './graph-writer.ts';

const CLASSES = 10;

/** Residual blocks on 16 x 16 x 3: cuts after every block. */
export function residualNet(seed = 1, batch = -1): TfjsTestModel {
  const graph = new TfjsGraphWriter(seed);
  let value = graph.conv('input', [3, 8], { kernel: 3 }, 'stem');
  const blocks = [
    { channels: [8, 8], stride: 1 },
    { channels: [8, 16], stride: 2 },
    { channels: [16, 16], stride: 1 },
  ] as const;
  for (const [index, { channels, stride }] of blocks.entries()) {
    const [from, to] = channels;
    const first = graph.conv(value, [from, to], { kernel: 3, stride });
    const second = graph.conv(first, [to, to], { kernel: 3, rectified: false });
    const side =
      from === to ? value : graph.conv(value, [from, to], { kernel: 1, stride, rectified: false });
    value = graph.add('Relu', [graph.add('AddV2', [second, side])], {}, `block${index}`);
  }
  const logits = graph.classifier(value, 16, CLASSES, 'dense_out');
  return graph.build([16, 16, 3], { logits: graph.add('Identity', [logits]) }, batch);
}

/** Few sums on the rows of `residualNet`: a model that may answer before it. */
export function smallNet(seed = 7): TfjsTestModel {
  const graph = new TfjsGraphWriter(seed);
  const stem = graph.conv('input', [3, 6], { kernel: 3, stride: 4 }, 'small');
  const logits = graph.classifier(stem, 6, CLASSES);
  return graph.build([16, 16, 3], { probabilities: graph.add('Softmax', [logits]) });
}

/** Depthwise-separable on 112 x 112 x 3, ends in probabilities; maps of 56, 28, 14 and 7. */
export function separableNet(seed = 2): TfjsTestModel {
  const graph = new TfjsGraphWriter(seed);
  let value = graph.conv('input', [3, 8], { kernel: 5, stride: 2 }, 'stem');
  for (const [index, [from, to]] of (
    [
      [8, 12],
      [12, 16],
      [16, 24],
    ] as const
  ).entries()) {
    const deep = graph.depthwise(value, from, 2, `depth${index}`);
    value = graph.conv(deep, [from, to], { kernel: 1 }, `point${index}`);
  }
  const tail = graph.conv(value, [24, 32], { kernel: 3 });
  const logits = graph.classifier(tail, 32, CLASSES);
  return graph.build([112, 112, 3], { probabilities: graph.add('Softmax', [logits]) });
}

const WIDTH = 16;
const TOKENS = 16;
/** Of operators on sizes. */
const INTEGERS = { T: { type: 'DT_INT32' } } as const;

/** One size of the input per call, as the graph itself reads it. */
function inputSizes(graph: TfjsGraphWriter): (axis: number) => string {
  const shape = graph.add('Shape', ['input'], { out_type: { type: 'DT_INT32' } });
  return (axis) =>
    graph.add(
      'StridedSlice',
      [shape, graph.integers([axis]), graph.integers([axis + 1]), graph.integers([1])],
      { ...INTEGERS, Index: { type: 'DT_INT32' }, shrink_axis_mask: { i: '1' } },
    );
}

function pack(graph: TfjsGraphWriter, sizes: readonly string[]): string {
  return graph.add('Pack', sizes, {
    ...INTEGERS,
    N: { i: String(sizes.length) },
    axis: { i: '0' },
  });
}

/** Patches and two transformer blocks that read the number of rows from the shape of the input. */
export function attentionNet(seed = 4): TfjsTestModel {
  const graph = new TfjsGraphWriter(seed);
  const patches = graph.conv('input', [3, WIDTH], { kernel: 4, stride: 4 }, 'patches');
  const rows = inputSizes(graph)(0);
  const reshape = (value: string, ...dims: readonly number[]): string => {
    const sizes = [rows, ...dims.map((dim) => graph.integer(dim))];
    return graph.add('Reshape', [value, pack(graph, sizes)]);
  };
  let value = graph.add(
    'AddV2',
    [reshape(patches, TOKENS, WIDTH), graph.weights([1, TOKENS, WIDTH], 4)],
    {},
    'tokens',
  );
  const project = (from: string, to = WIDTH): string =>
    graph.add('BatchMatMulV2', [from, graph.weights([1, WIDTH, to], WIDTH)]);
  for (let index = 0; index < 2; index += 1) {
    const normal = normalised(graph, value);
    const heads = (perm: readonly number[]): string =>
      graph.add('Transpose', [
        reshape(project(normal), TOKENS, 2, WIDTH / 2),
        graph.integers(perm),
      ]);
    const products = graph.add('BatchMatMulV2', [heads([0, 2, 1, 3]), heads([0, 2, 3, 1])]);
    const shares = graph.add('Softmax', [
      graph.add('Mul', [products, graph.floats([], [1 / Math.sqrt(WIDTH / 2)])]),
    ]);
    const mixed = graph.add('BatchMatMulV2', [shares, heads([0, 2, 1, 3])]);
    const joined = graph.add('Transpose', [mixed, graph.integers([0, 2, 1, 3])]);
    const attended = project(reshape(joined, TOKENS, WIDTH));
    value = graph.add('AddV2', [value, attended], {}, `attended${index}`);
    const wide = project(normalised(graph, value));
    const active = graph.add('Mul', [wide, graph.add('Sigmoid', [wide])]);
    value = graph.add('AddV2', [value, project(active)], {}, `mixed${index}`);
  }
  const logits = graph.dense(graph.mean(value, [1]), WIDTH, CLASSES, 'logits');
  return graph.build([16, 16, 3], { logits });
}

function normalised(graph: TfjsGraphWriter, value: string): string {
  const centre = graph.add('Sub', [value, graph.mean(value, [2], true)]);
  const spread = graph.mean(graph.add('Square', [centre]), [2], true);
  const scale = graph.add('Rsqrt', [graph.add('AddV2', [spread, graph.floats([], [1e-5])])]);
  return graph.add('Mul', [centre, scale]);
}

/** The raw input is needed again at the end: nothing carries everything on alone. */
export function uncuttableNet(seed = 5): TfjsTestModel {
  const graph = new TfjsGraphWriter(seed);
  const first = graph.conv('input', [3, 6], { kernel: 3 });
  const second = graph.conv(first, [6, 6], { kernel: 3 }, 'deep');
  const joined = graph.add('ConcatV2', [second, 'input', graph.integer(3)], { N: { i: '2' } });
  return graph.build([8, 8, 3], { logits: graph.classifier(joined, 9, CLASSES) });
}

/** Two class outputs, of which either could be the one. */
export function ambiguousNet(seed = 6): TfjsTestModel {
  const graph = new TfjsGraphWriter(seed);
  const stem = graph.conv('input', [3, 6], { kernel: 3 }, 'stem');
  const map = graph.conv(stem, [6, 6], { kernel: 3 });
  const outputs = ['digits', 'letters'].map((name) => [
    name,
    graph.classifier(map, 6, CLASSES, name),
  ]);
  return graph.build([8, 8, 3], Object.fromEntries(outputs) as Record<string, string>);
}

/** Every operator that the converter joins with others, and each activation that it joins. */
export function joinedNet(seed = 7): TfjsTestModel {
  const graph = new TfjsGraphWriter(seed);
  const joined = (...ops: readonly string[]): Readonly<Record<string, object>> => ({
    fused_ops: { list: { s: ops.map((op) => Buffer.from(op).toString('base64')) } },
    // Inputs beside the first two.
    num_args: { i: ops.includes('Prelu') ? '2' : '1' },
    epsilon: { f: 0 },
    leakyrelu_alpha: { f: 0.3 },
  });
  const { window } = graph;
  const weights = (...shape: readonly number[]): string => graph.weights(shape, 9);
  let value = graph.add(
    'FusedDepthwiseConv2dNative',
    ['input', weights(3, 3, 3, 2), weights(6)],
    { ...window(1), ...joined('BiasAdd', 'Relu6') },
    'depthwise',
  );
  for (const activation of ['Elu', 'LeakyRelu', 'Prelu']) {
    const slopes = activation === 'Prelu' ? [weights(6)] : [];
    value = graph.add(
      '_FusedConv2D',
      [value, weights(1, 1, 6, 6), weights(6), ...slopes],
      { ...window(1), ...joined('BiasAdd', activation) },
      activation.toLowerCase(),
    );
  }
  value = graph.add('Prelu', [value, weights(6)], {}, 'sloped');
  const product = { transpose_a: { b: false }, transpose_b: { b: false } };
  const mean = graph.mean(value, [1, 2]);
  const hidden = graph.add(
    '_FusedMatMul',
    [mean, weights(6, 8), weights(8)],
    { ...product, ...joined('BiasAdd', 'Relu') },
    'hidden',
  );
  return graph.build([8, 8, 3], { logits: graph.dense(hidden, 8, CLASSES, 'logits') });
}

/** Maps of 8 x 16 whose height a later layer reads from the shape of the input. */
export function oblongNet(seed = 8): TfjsTestModel {
  const graph = new TfjsGraphWriter(seed);
  const stem = graph.conv('input', [3, 6], { kernel: 3 }, 'stem');
  const deep = graph.conv(stem, [6, 6], { kernel: 3 });
  const sizeAt = inputSizes(graph);
  const dims = pack(graph, [sizeAt(0), sizeAt(1), graph.integer(16 * 6)]);
  const lines = graph.add('Reshape', [deep, dims]);
  return graph.build([8, 16, 3], {
    logits: graph.dense(graph.mean(lines, [1]), 16 * 6, CLASSES, 'logits'),
  });
}
