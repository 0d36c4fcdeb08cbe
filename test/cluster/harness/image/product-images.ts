import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ImageContent } from './image-archive.ts';
import { releasedNode } from '../../../support/released-node.ts';
import { nodeLayer } from './node-layer.ts';
import type { TarEntry } from './tar-file.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const runtime = 'node_modules/onnxruntime-node';
const platform = 'bin/napi-v6/linux/x64';

export interface ProductOptions {
  readonly name: string;
  /** Makes an image of other digest and same content, as a new release is to a rollout. */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * The server's image from the bundles in dist/bundle: what its Dockerfile copies, on a base made here. The example
 * model lies at /models/fashion-mnist.
 */
export async function serverImage(options: ProductOptions): Promise<ImageContent> {
  const programs = ['server', 'engine-host', 'engine-onnx-worker', 'engine-tfjs-worker'];
  const wasm = ['tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm.wasm'].map(fromBundle);
  const example = 'server/examples/fashion-mnist';
  const model = ['backbone.onnx', 'layercache.json'].map((file) => ({
    path: `models/fashion-mnist/${file}`,
    source: join(root, example, file),
    mode: 0o644,
  }));
  return productImage(options, programs, [...wasm, ...model]);
}

/** The operator's image from the bundles in dist/bundle: operator, trainer and command line. */
export function operatorImage(options: ProductOptions): Promise<ImageContent> {
  return productImage(options, ['operator', 'trainer', 'layercache'], []);
}

async function productImage(
  { name, labels = {} }: ProductOptions,
  programs: readonly string[],
  more: readonly TarEntry[],
): Promise<ImageContent> {
  const native = join(root, runtime, platform, 'libonnxruntime.so.1');
  const base = await nodeLayer({
    binary: releasedNode ?? process.execPath,
    librariesFor: [native],
  });
  const files = [...programs.map(bundled), ...more];
  return {
    name,
    labels,
    layers: [base, onnxRuntime(), files],
    entrypoint: ['/usr/bin/node', `/app/${programs[0]}.mjs`],
    workingFolder: '/app',
    environment: { NODE_ENV: 'production' },
  };
}

function bundled(program: string): TarEntry {
  return fromBundle(`${program}.mjs`);
}

function fromBundle(file: string): TarEntry {
  const source = join(root, 'dist', 'bundle', file);
  if (!existsSync(source)) throw new Error(`${source} is missing: npm run build makes it`);
  return { path: `app/${file}`, source, mode: 0o644 };
}

/** onnxruntime-node for one platform, a sixth of the package, and the package that it loads. */
function onnxRuntime(): TarEntry[] {
  const common = 'node_modules/onnxruntime-common';
  return [
    ...[`${runtime}/package.json`, `${common}/package.json`],
    ...scripts(`${runtime}/dist`),
    ...scripts(`${common}/dist/cjs`),
    ...readdirSync(join(root, runtime, platform)).map((file) => `${runtime}/${platform}/${file}`),
  ].map((path) => ({ path: `app/${path}`, source: join(root, path), mode: 0o644 }));
}

function scripts(folder: string): string[] {
  const isNeeded = (path: string) => path.endsWith('.js') || path.endsWith('package.json');
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(isNeeded)
    .map((path) => `${folder}/${path}`);
}
