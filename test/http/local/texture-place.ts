// A backbone that goes by colour and texture, with an exit where averages tell colours alone. Classes: four colours, and three greys
// that only a texture parts, so that heads learn to be unsure; these come from the start. What `--drift classes@N` holds back
// are three of the colours with a texture, where heads are wrong and as sure as ever, and a fourth grey, where they are unsure.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, type Random } from '../../../server/core/random.ts';
import { GraphWriter } from '../../support/onnx-models/graph-writer.ts';
import { npy, type Workplace } from './local-run.ts';
import { writeModelFolder } from './model-folder.ts';

export const SIDE = 16;
const PIXELS = SIDE * SIDE;
const WIDTH = 32;
const BLOCKS = 6;
const CLASSES = 11;

const TEXTURES = 3;

const COLOURS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;
const GREY = 4;
const CHECKERED_GREY = 5;
const BARRED_GREY = 6;
const TWINS = 7;
const STRIPED_GREY = 10;

/** How rows part: the rest is of a plain colour. */
type Shares = Readonly<Record<'striped' | 'twins' | 'greys', number>>;

/** Of classes that are there from the start. */
export const FIRST_SHARES: Shares = { striped: 0, twins: 0, greys: 0.18 };
const NEW_SHARES: Shares = { striped: 0.85, twins: 0.15, greys: 0 };

export interface TexturePlace extends Workplace {
  readonly labels: string;
  /** Rows of classes that are not held back. */
  readonly headTraffic: string;
}

export interface TextureRows {
  /** Of classes that are there from the start: those that train heads, and traffic. */
  readonly head: number;
  readonly first: number;
  /** Of the class that is held back. */
  readonly fresh: number;
}

export function texturePlace(rows: TextureRows): TexturePlace {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-texture-'));
  const manifest = writeModelFolder(folder, textureModel(), {
    name: 'texture',
    spec: `  accuracy: {maxDisagreement: 5%, auditRate: 0.1%}
  exits: [{name: early, tensor: stem}]
`,
  });
  const save = (name: string, shape: readonly number[], elements: Uint8Array): string => {
    writeFileSync(join(folder, name), npy(shape, elements));
    return `npy:${join(folder, name)}`;
  };
  const first = textureRows(rows.first, 8, FIRST_SHARES);
  const fresh = textureRows(rows.fresh, 9, NEW_SHARES);
  const count = rows.first + rows.fresh;
  const shape = [SIDE, SIDE, 3];
  return {
    folder,
    manifest,
    traffic: save('rows.npy', [count, ...shape], Buffer.concat([first.pixels, fresh.pixels])),
    // All that is new is one label, and none that the backbone gives: it is the class that the backbone knows least.
    labels: save('labels.npy', [count], Buffer.concat([first.labels, fresh.labels.fill(CLASSES)])),
    headTraffic: save(
      'head.npy',
      [rows.head, ...shape],
      textureRows(rows.head, 10, FIRST_SHARES).pixels,
    ),
  };
}

/** The first channels carry the picture to the end unchanged; what is added on the way costs time and means nothing. */
export function textureModel(): Uint8Array {
  const graph = new GraphWriter(3);
  const carry = new Float32Array(WIDTH * 3);
  for (let channel = 0; channel < 3; channel++) carry[channel * 3 + channel] = 1;
  // One pixel at a time: averages of its output say nothing of a texture.
  let value = graph.add('Conv', ['input', graph.constant([WIDTH, 3, 1, 1], carry)], {}, 'stem');
  const little = graph.constant([], [1e-4]);
  for (let i = 0; i < BLOCKS; i++) {
    const idle = graph.add('Tanh', [graph.conv(value, [WIDTH, WIDTH], { kernel: 3 })]);
    value = graph.add('Add', [value, graph.add('Mul', [idle, little])], {}, `block${i}`);
  }
  const texture = graph.add('Abs', [filters(graph, value)]);
  const all = graph.add('Concat', [value, texture], { axis: { int: 1 } });
  const average = graph.add('GlobalAveragePool', [all]);
  const vector = graph.add('Flatten', [average], { axis: { int: 1 } });
  const logits = graph.add('Gemm', [vector, ...verdict(graph)], {}, 'logits');
  return graph.build([3, SIDE, SIDE], logits, CLASSES).bytes;
}

/** The same without an eye for texture, and without what only costs time: right of colours, and unsure of greys. */
export function colourModel(classes = CLASSES): Uint8Array {
  const graph = new GraphWriter(4);
  const carry = new Float32Array(9);
  for (let channel = 0; channel < 3; channel++) carry[channel * 3 + channel] = 1;
  const value = graph.add('Conv', ['input', graph.constant([3, 3, 1, 1], carry)], {}, 'carried');
  const average = graph.add('GlobalAveragePool', [value]);
  const vector = graph.add('Flatten', [average], { axis: { int: 1 } });
  const weights = new Float32Array(3 * classes);
  COLOURS.forEach((colour, i) => {
    colour.forEach((sign, at) => {
      weights[at * classes + i] = 8 * sign;
    });
  });
  const bias = Float32Array.from({ length: classes }, (_, i) =>
    i < GREY ? 0 : i === GREY ? 3 : 1.5,
  );
  const verdicts = [graph.constant([3, classes], weights), graph.constant([classes], bias)];
  const logits = graph.add('Gemm', [vector, ...verdicts], {}, 'logits');
  return graph.build([3, SIDE, SIDE], logits, classes).bytes;
}

/** Answers of full strength to a checkerboard, to upright stripes and to level bars, each none to the others, on the third colour. */
function filters(graph: GraphWriter, value: string): string {
  const [smooth, rough] = [
    [0.25, 0.5, 0.25],
    [-0.25, 0.5, -0.25],
  ];
  const weights = new Float32Array(TEXTURES * WIDTH * 9);
  const pairs = [
    [rough, rough],
    [smooth, rough],
    [rough, smooth],
  ];
  for (const [filter, [down, across]] of pairs.entries()) {
    for (let i = 0; i < 9; i++) {
      weights[(filter * WIDTH + 2) * 9 + i] = down![Math.floor(i / 3)]! * across![i % 3]!;
    }
  }
  return graph.add('Conv', [value, graph.constant([TEXTURES, WIDTH, 3, 3], weights)], {
    kernel_shape: { ints: [3, 3] },
    pads: { ints: [1, 1, 1, 1] },
  });
}

function verdict(graph: GraphWriter): string[] {
  const weights = new Float32Array((WIDTH + TEXTURES) * CLASSES);
  const bias = new Float32Array(CLASSES);
  const weigh = (feature: number, classId: number, weight: number): void => {
    weights[feature * CLASSES + classId] = weight;
  };
  const [checkers, stripes, bars] = [WIDTH, WIDTH + 1, WIDTH + 2];
  COLOURS.forEach((colour, i) => {
    colour.forEach((sign, at) => {
      weigh(at, i, 8 * sign);
      if (i < 3) weigh(at, TWINS + i, 8 * sign);
    });
  });
  for (const { classId, level, feature, weight } of [
    { classId: GREY, level: 3, feature: checkers, weight: 0 },
    { classId: CHECKERED_GREY, level: -5, feature: checkers, weight: 20 },
    { classId: BARRED_GREY, level: -5, feature: bars, weight: 20 },
    { classId: TWINS, level: -8, feature: checkers, weight: 20 },
    { classId: TWINS + 1, level: -8, feature: checkers, weight: 20 },
    { classId: TWINS + 2, level: -8, feature: checkers, weight: 20 },
    { classId: STRIPED_GREY, level: -13, feature: stripes, weight: 40 },
  ]) {
    bias[classId] = level;
    weigh(feature, classId, weight);
  }
  return [graph.constant([WIDTH + TEXTURES, CLASSES], weights), graph.constant([CLASSES], bias)];
}

function drawClass(random: Random, { striped, twins, greys }: Shares): number {
  const draw = random.uniform();
  if (draw < striped) return STRIPED_GREY;
  if (draw < striped + twins) return TWINS + (random.nextUint32() % 3);
  if (draw < striped + twins + greys) return GREY + (random.nextUint32() % 3);
  return random.nextUint32() % COLOURS.length;
}

/** The two colour values of a row; some lie between two colours. */
function drawColour(random: Random, classId: number): number[] {
  const colour = COLOURS[classId < GREY ? classId : classId - TWINS];
  const isGrey = colour === undefined || classId === STRIPED_GREY;
  const second = COLOURS[random.nextUint32() % COLOURS.length]!;
  const mix = random.uniform() < 0.1 ? 0.5 * random.uniform() : 0;
  return [0, 1].map((at) => {
    const pure = isGrey ? 0 : 50 * ((1 - mix) * colour[at]! + mix * second[at]!);
    return pure + 4 * random.normal();
  });
}

function textureAt(classId: number, place: number): number {
  if (classId < CHECKERED_GREY) return 0;
  const [y, x] = [Math.floor(place / SIDE), place % SIDE];
  const along = classId === STRIPED_GREY ? x : classId === BARRED_GREY ? y : x + y;
  return along % 2 === 0 ? 40 : -40;
}

/** Pictures of 16 x 16 pixels, three bytes each, and the class that the backbone gives each of them. */
export function textureRows(
  count: number,
  seed: number,
  shares: Shares,
): { readonly pixels: Uint8Array; readonly labels: Uint8Array } {
  const random = createRandom(seed);
  const noise = Float32Array.from({ length: 8_192 }, () => 6 * random.normal());
  const pixels = new Uint8Array(count * PIXELS * 3);
  const labels = Uint8Array.from({ length: count }, () => drawClass(random, shares));
  labels.forEach((classId, row) => {
    const colour = drawColour(random, classId);
    const shift = random.nextUint32() % noise.length;
    for (let i = 0; i < 3 * PIXELS; i++) {
      const value = colour[i % 3] ?? textureAt(classId, Math.floor(i / 3));
      const at = 128 + value + noise[(i + shift) % noise.length]!;
      pixels[row * 3 * PIXELS + i] = Math.max(0, Math.min(255, Math.round(at)));
    }
  });
  return { pixels, labels };
}
