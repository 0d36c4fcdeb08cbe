import { GraphWriter, type TestModel } from './graph-writer.ts';

const CLASSES = 10;

/** Residual blocks on 3 x 16 x 16: cuts after every block. */
export function residualNet(seed = 1): TestModel {
  const graph = new GraphWriter(seed);
  let value = graph.add('Relu', [graph.conv('input', [3, 8], { kernel: 3 })], {}, 'stem');
  const blocks = [
    { channels: [8, 8], stride: 1 },
    { channels: [8, 16], stride: 2 },
    { channels: [16, 16], stride: 1 },
  ] as const;
  for (const [index, { channels, stride }] of blocks.entries()) {
    const [from, to] = channels;
    const first = graph.add('Relu', [graph.conv(value, [from, to], { kernel: 3, stride })]);
    const second = graph.conv(first, [to, to], { kernel: 3 });
    const side = from === to ? value : graph.conv(value, [from, to], { kernel: 1, stride });
    value = graph.add('Relu', [graph.add('Add', [second, side])], {}, `block${index}`);
  }
  return graph.build([3, 16, 16], graph.classifier(value, 16, CLASSES, 'logits'), CLASSES);
}

/** Few sums on the rows of `residualNet`, ends in probabilities: a model that may answer before it. */
export function smallNet(seed = 7, classes = CLASSES): TestModel {
  const graph = new GraphWriter(seed);
  const stem = graph.conv('input', [3, 6], { kernel: 3, stride: 4 });
  const logits = graph.classifier(graph.add('Relu', [stem], {}, 'small'), 6, classes);
  const output = graph.add('Softmax', [logits], { axis: { int: 1 } }, 'probabilities');
  return graph.build([3, 16, 16], output, classes);
}

/** Depthwise-separable on 3 x 224 x 224, ends in probabilities; maps of 56, 28, 14 and 7. */
export function separableNet(seed = 2): TestModel {
  const graph = new GraphWriter(seed);
  let value = graph.add(
    'Relu',
    [graph.conv('input', [3, 8], { kernel: 7, stride: 4 })],
    {},
    'stem',
  );
  for (const [index, [from, to]] of (
    [
      [8, 12],
      [12, 16],
      [16, 24],
    ] as const
  ).entries()) {
    const spatial = graph.conv(value, [from, from], { kernel: 3, stride: 2, groups: from });
    const depth = graph.add('Relu', [spatial], {}, `depth${index}`);
    const point = graph.conv(depth, [from, to], { kernel: 1 });
    value = graph.add('Relu', [point], {}, `point${index}`);
  }
  const tail = graph.add('Relu', [graph.conv(value, [24, 32], { kernel: 3 })]);
  const logits = graph.classifier(tail, 32, CLASSES);
  const output = graph.add('Softmax', [logits], { axis: { int: 1 } }, 'probabilities');
  return graph.build([3, 224, 224], output, CLASSES);
}

/** Concatenating blocks on 1 x 12 x 12, ends in log-probabilities. */
export function concatenatingNet(seed = 3): TestModel {
  const graph = new GraphWriter(seed);
  let value = graph.add('Relu', [graph.conv('input', [1, 6], { kernel: 3 })], {}, 'stem');
  let channels = 6;
  for (let index = 0; index < 3; index += 1) {
    const narrow = graph.add('Relu', [graph.conv(value, [channels, 4], { kernel: 1 })]);
    const wide = graph.add('Relu', [graph.conv(value, [channels, 4], { kernel: 3 })]);
    value = graph.add('Concat', [value, narrow, wide], { axis: { int: 1 } }, `dense${index}`);
    channels += 8;
  }
  const logits = graph.classifier(value, channels, CLASSES);
  const output = graph.add('LogSoftmax', [logits], { axis: { int: 1 } }, 'logprobs');
  return graph.build([1, 12, 12], output, CLASSES);
}

const WIDTH = 16;
const TOKENS = 16;

/** Patches, two transformer blocks with shapes computed from the number of rows, mean of tokens. */
export function attentionNet(seed = 4): TestModel {
  const graph = new GraphWriter(seed);
  const patches = graph.add(
    'Conv',
    ['input', graph.weights([WIDTH, 3, 4, 4], 48)],
    { kernel_shape: { ints: [4, 4] }, strides: { ints: [4, 4] } },
    'patches',
  );
  const rows = graph.add('Gather', [graph.add('Shape', ['input']), graph.integers([0])]);
  const flat = graph.add('Concat', [rows, graph.integers([WIDTH, TOKENS])], { axis: { int: 0 } });
  const tokens = graph.add('Transpose', [graph.add('Reshape', [patches, flat])], {
    perm: { ints: [0, 2, 1] },
  });
  let value = graph.add('Add', [tokens, graph.weights([1, TOKENS, WIDTH], 4)], {}, 'tokens');
  const apart = graph.add('Concat', [rows, graph.integers([TOKENS, 2, WIDTH / 2])], {
    axis: { int: 0 },
  });
  const together = graph.add('Concat', [rows, graph.integers([TOKENS, WIDTH])], {
    axis: { int: 0 },
  });
  for (let index = 0; index < 2; index += 1) {
    const attended = attention(graph, normalised(graph, value), { apart, together });
    value = graph.add('Add', [value, attended], {}, `attended${index}`);
    value = graph.add(
      'Add',
      [value, perceptron(graph, normalised(graph, value))],
      {},
      `mixed${index}`,
    );
  }
  const mean = graph.add('ReduceMean', [value], { axes: { ints: [1] }, keepdims: { int: 0 } });
  return graph.build([3, 16, 16], graph.dense(mean, WIDTH, CLASSES, 'logits'), CLASSES);
}

function normalised(graph: GraphWriter, value: string): string {
  const scale = graph.constant([WIDTH], new Float32Array(WIDTH).fill(1));
  const bias = graph.constant([WIDTH], new Float32Array(WIDTH));
  return graph.add('LayerNormalization', [value, scale, bias], { axis: { int: -1 } });
}

function attention(
  graph: GraphWriter,
  value: string,
  shape: { readonly apart: string; readonly together: string },
): string {
  const heads = (perm: readonly number[]): string => {
    const projected = graph.add('MatMul', [value, graph.weights([WIDTH, WIDTH], WIDTH)]);
    return graph.add('Transpose', [graph.add('Reshape', [projected, shape.apart])], {
      perm: { ints: perm },
    });
  };
  const products = graph.add('MatMul', [heads([0, 2, 1, 3]), heads([0, 2, 3, 1])]);
  const scaled = graph.add('Mul', [products, graph.constant([], [1 / Math.sqrt(WIDTH / 2)])]);
  const shares = graph.add('Softmax', [scaled], { axis: { int: -1 } });
  const mixed = graph.add('Transpose', [graph.add('MatMul', [shares, heads([0, 2, 1, 3])])], {
    perm: { ints: [0, 2, 1, 3] },
  });
  const joined = graph.add('Reshape', [mixed, shape.together]);
  return graph.add('MatMul', [joined, graph.weights([WIDTH, WIDTH], WIDTH)]);
}

function perceptron(graph: GraphWriter, value: string): string {
  const wide = graph.add('MatMul', [value, graph.weights([WIDTH, 32], WIDTH)]);
  const gate = graph.add('Sigmoid', [wide]);
  const active = graph.add('Mul', [wide, gate]);
  return graph.add('MatMul', [active, graph.weights([32, WIDTH], 32)]);
}

/** Rows of four numbers, three classes, nothing to cut: what test servers send. */
export function denseNet(seed = 7): TestModel {
  const graph = new GraphWriter(seed);
  const hidden = graph.add('Relu', [graph.dense('input', 4, 8)]);
  return graph.build([4], graph.dense(hidden, 8, 3, 'scores'), 3);
}

/** Like `denseNet`, with a tensor of as many elements as the largest number of the batch says. */
export function hungryNet(seed = 7): TestModel {
  const graph = new GraphWriter(seed);
  const largest = graph.add('ReduceMax', [graph.add('Abs', ['input'])], { keepdims: { int: 0 } });
  const size = graph.add('Cast', [largest], { to: { int: 7 } });
  const filled = graph.add('ConstantOfShape', [graph.add('Reshape', [size, graph.integers([1])])]);
  const sum = graph.add('ReduceSum', [filled], { keepdims: { int: 0 } });
  const hidden = graph.add('Relu', [graph.dense('input', 4, 8)]);
  const scores = graph.dense(hidden, 8, 3);
  return graph.build([4], graph.add('Add', [scores, sum], {}, 'scores'), 3);
}

/** The raw input is needed again at the end: nothing carries everything on alone. */
export function uncuttableNet(seed = 5): TestModel {
  const graph = new GraphWriter(seed);
  const first = graph.add('Relu', [graph.conv('input', [3, 6], { kernel: 3 })]);
  const second = graph.add('Relu', [graph.conv(first, [6, 6], { kernel: 3 })], {}, 'deep');
  const joined = graph.add('Concat', [second, 'input'], { axis: { int: 1 } });
  return graph.build([3, 8, 8], graph.classifier(joined, 9, CLASSES, 'logits'), CLASSES);
}

/** Two class outputs, of which either could be the one. */
export function ambiguousNet(seed = 6): TestModel {
  const graph = new GraphWriter(seed);
  const stem = graph.add('Relu', [graph.conv('input', [3, 6], { kernel: 3 })], {}, 'stem');
  const map = graph.add('Relu', [graph.conv(stem, [6, 6], { kernel: 3 })]);
  const outputs = ['digits', 'letters'].map((name) => graph.classifier(map, 6, CLASSES, name));
  return graph.build([3, 8, 8], outputs, CLASSES);
}

/** Places of a side of the maps of `detectorNet`. */
const PLACES = 4;
const DETECTOR_CHANNELS = 4;

/**
 * A detector of bright patches on 1 x 16 x 16: of each 4 x 4 patch the mean becomes the score sigmoid(20 (mean - 0.5)) of object 0,
 * a box of 2 pixels to each side. `layers` that add nothing make the way behind the cut `stem` long.
 */
export function detectorNet(seed = 8, layers = 3): Uint8Array {
  const graph = new GraphWriter(seed);
  const fixed = (dims: readonly number[], values: (index: number) => number): string => {
    const size = dims.reduce((all, dim) => all * dim, 1);
    return graph.constant(
      dims,
      Float32Array.from({ length: size }, (_, i) => values(i)),
    );
  };
  const conv = (input: string, weights: string, bias: string, side: number): string =>
    graph.add('Conv', [input, weights, bias], {
      kernel_shape: { ints: [side, side] },
      strides: { ints: [side, side] },
    });
  const means = fixed([DETECTOR_CHANNELS, 1, 4, 4], () => 1 / 16);
  const zeros = fixed([DETECTOR_CHANNELS], () => 0);
  const stem = graph.add('Relu', [conv('input', means, zeros, 4)], {}, 'stem');
  let long = graph.add('Relu', [graph.conv(stem, [DETECTOR_CHANNELS, 64], { kernel: 3 })]);
  for (let i = 0; i < layers; i += 1)
    long = graph.add('Relu', [graph.conv(long, [64, 64], { kernel: 3 })]);
  const nothing = conv(
    long,
    fixed([DETECTOR_CHANNELS, 64, 1, 1], () => 0),
    zeros,
    1,
  );
  const map = graph.add('Add', [stem, nothing], {}, 'map');
  const lastly = (value: string, name: string): string =>
    graph.add('Transpose', [value], { perm: { ints: [0, 2, 3, 1] } }, name);
  const objects = conv(
    map,
    fixed([2, DETECTOR_CHANNELS, 1, 1], (i) => (i === 0 ? 20 : 0)),
    fixed([2], () => -10),
    1,
  );
  const sides = conv(
    map,
    fixed([4, DETECTOR_CHANNELS, 1, 1], () => 0),
    fixed([4], () => 2),
    1,
  );
  lastly(graph.add('Sigmoid', [objects]), 'scores');
  lastly(sides, 'extents');
  return graph.bytesOf(
    [1, 16, 16],
    [
      { name: 'scores', dims: [PLACES, PLACES, 2] },
      { name: 'extents', dims: [PLACES, PLACES, 4] },
    ],
  );
}
