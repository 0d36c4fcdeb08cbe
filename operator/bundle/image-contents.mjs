// What images hold: bundles, native packages pruned to one platform, the example model. The one list of it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** By the name of the image; `platform` as in `linux-x64`. */
export function contentsOf(platform) {
  return {
    operator: {
      bundles: ['operator.mjs', 'trainer.mjs', 'layercache.mjs'],
      packages: ['onnxruntime-node'],
      // What `layercache export` writes.
      files: { 'app/chart': 'dist/bundle/chart' },
    },
    server: {
      bundles: [
        ...['server.mjs', 'engine-host.mjs', 'image-host.mjs'],
        ...['engine-onnx-worker.mjs', 'engine-tfjs-worker.mjs'],
        ...['tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm.wasm'],
      ],
      packages: [
        ...['onnxruntime-node', 'sharp'],
        ...[`@img/sharp-${platform}`, `@img/sharp-libvips-${platform}`],
      ],
      files: Object.fromEntries(
        ['backbone.onnx', 'layercache.json'].map((file) => [
          `models/fashion-mnist/${file}`,
          `server/examples/fashion-mnist/${file}`,
        ]),
      ),
    },
  };
}

/** Beside the server's, where native TensorFlow is. */
export const TENSORFLOW_BUNDLES = ['engine-tensorflow-worker.mjs'];

/** What a program reads of a package, and the licence that goes with it. */
const WANTED = /(\.(c?js|mjs|json|node)|\.so(\.[\d.]+)?)$/;
const LICENCE = /(^|\/)(licen[cs]e|copying|notice|thirdpartynotices)[^/]*$/i;
/** Loaded by install scripts alone. */
const FOR_INSTALL = new Set(['adm-zip', 'global-agent']);

/** Whether a file of a package goes into an image: of onnxruntime-node neither libraries for other machines nor what downloads more of them. */
export function isWanted(file, platform) {
  const [system, processor] = platform.split('-');
  const isUnwanted = new RegExp(`^(script|install)/|^bin/napi-v\\d+/(?!${system}/${processor}/)`);
  return !isUnwanted.test(file) && (WANTED.test(file) || LICENCE.test(file));
}

/** Names of packages and of all that they load at run time; what an install script alone needs is left out. */
export async function withDependencies(names, nodeModules) {
  const found = new Set();
  const wanted = [...names];
  while (wanted.length > 0) {
    const name = wanted.pop();
    if (found.has(name)) continue;
    found.add(name);
    const { dependencies = {} } = await manifestOf(join(nodeModules, name));
    wanted.push(...Object.keys(dependencies).filter((one) => !FOR_INSTALL.has(one)));
  }
  return [...found].sort();
}

export async function manifestOf(folder) {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}
