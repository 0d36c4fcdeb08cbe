// The detector of the benchmark: MobileNetV3-CenterNet (github.com/610265158/mobilenetv3_centernet), trained on COCO, as the npm
// package @vladmandic/human (MIT) brings it. The package is fetched once, into the cache of benchmarks.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const PACKAGE = '@vladmandic/human@3.3.6';
const MODEL_DIGEST = '1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef';

/** Pixels of a side of the picture, and per place of the maps. */
export const SIDE = 512;
export const STRIDE = 4;
export const MAP_SIDE = SIDE / STRIDE;
export const CLASS_COUNT = 80;
/** Names of the outputs, in the order of the graph. */
export const OUTPUTS = { extents: 'tower_0/wh', scores: 'tower_0/keypoints' };
/** Where exits are: frames are compared at the first, the empty head reads the second. */
export const CUTS = {
  frame: 'tower_0/MobilenetV3/Conv/hard_swish/mul_1',
  empty: 'tower_0/MobilenetV3/expanded_conv_3/expand/Relu',
};

/** Path of model.json, with a free batch axis and without the boxes that the graph makes of its maps for one picture. */
export function fetchDetector(cache: string): string {
  const folder = join(cache, 'centernet');
  const path = join(folder, 'model.json');
  if (existsSync(path)) return path;
  const unpacked = unpackPackage(cache);
  const weights = join(unpacked, 'models', 'centernet.bin');
  const digest = createHash('sha256').update(readFileSync(weights)).digest('hex');
  if (digest !== MODEL_DIGEST) throw new Error(`${weights} is not the model of ${PACKAGE}`);
  mkdirSync(folder, { recursive: true });
  copyFileSync(weights, join(folder, 'centernet.bin'));
  const model = JSON.parse(
    readFileSync(join(unpacked, 'models', 'centernet.json'), 'utf8'),
  ) as GraphModelFile;
  writeFileSync(`${path}.part`, JSON.stringify(withFreeRows(model)));
  renameSync(`${path}.part`, path);
  return path;
}

function unpackPackage(cache: string): string {
  const folder = join(cache, 'package');
  if (existsSync(join(folder, 'models', 'centernet.bin'))) return folder;
  mkdirSync(cache, { recursive: true });
  const packed = execFileSync('npm', ['pack', '--silent', PACKAGE], {
    cwd: cache,
    encoding: 'utf8',
  });
  const files = ['LICENSE', 'models/centernet.bin', 'models/centernet.json'];
  execFileSync('tar', ['xzf', packed.trim(), ...files.map((file) => `package/${file}`)], {
    cwd: cache,
  });
  return folder;
}

interface TensorInfo {
  readonly tensorShape: { readonly dim: { size: string }[] };
}

interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: { readonly shape?: { readonly shape?: { readonly dim: { size: string }[] } } };
}

interface GraphModelFile {
  readonly signature: {
    readonly inputs: Readonly<Record<string, TensorInfo>>;
    readonly outputs: Readonly<Record<string, TensorInfo>>;
  };
  readonly modelTopology: { readonly node: readonly GraphNode[] };
}

function withFreeRows(model: GraphModelFile): GraphModelFile {
  const { inputs } = model.signature;
  const wanted = Object.values(OUTPUTS);
  const outputs = Object.fromEntries(
    Object.entries(model.signature.outputs).filter(([name]) => wanted.includes(name)),
  );
  const nodes = new Map(model.modelTopology.node.map((node) => [node.name, node]));
  const needed = new Set<string>();
  const need = (input: string): void => {
    const [name = ''] = input.replace(/^\^/, '').split(':');
    if (needed.has(name)) return;
    needed.add(name);
    for (const one of nodes.get(name)?.input ?? []) need(one);
  };
  for (const name of wanted) need(name);
  const node = model.modelTopology.node.filter(({ name }) => needed.has(name));
  const shapes = [
    ...[...Object.values(inputs), ...Object.values(outputs)].map(({ tensorShape }) => tensorShape),
    ...node.filter(({ op }) => op === 'Placeholder').map(({ attr }) => attr.shape?.shape),
  ];
  for (const shape of shapes) {
    const [rows] = shape?.dim ?? [];
    if (rows !== undefined) rows.size = '-1';
  }
  return { ...model, signature: { inputs, outputs }, modelTopology: { node } };
}
