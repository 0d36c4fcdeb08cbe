// Lays out what the images hold, below dist/images: bundles, the native packages pruned to one platform, the example model.
// Both Dockerfiles copy such a folder and do nothing else, so an image needs no network and no package manager to be built.
//   node operator/bundle/image-files.mjs [linux-x64 | linux-arm64]
import { cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const platform = process.argv[2] ?? `${process.platform}-${process.arch}`;
const [system, processor] = platform.split('-');
if (system !== 'linux') {
  console.error(`Images are for Linux, not ${platform}: name linux-x64 or linux-arm64.`);
  process.exit(2);
}

const images = {
  operator: {
    bundles: ['operator.mjs', 'trainer.mjs', 'layercache.mjs'],
    packages: ['onnxruntime-node'],
    files: {},
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

/** What a program reads of a package, and the licence that goes with it. */
const WANTED = /(\.(c?js|mjs|json|node)|\.so(\.[\d.]+)?)$/;
const LICENCE = /(^|\/)(licen[cs]e|copying|notice|thirdpartynotices)[^/]*$/i;
/** Of onnxruntime-node: libraries for other machines, and what downloads more of them. */
const UNWANTED = new RegExp(`^(script|install)/|^bin/napi-v\\d+/(?!${system}/${processor}/)`);
/** Loaded by install scripts alone. */
const FOR_INSTALL = new Set(['adm-zip', 'global-agent']);

for (const [image, { bundles, packages, files }] of Object.entries(images)) {
  const folder = join('dist', 'images', image);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'app'), { recursive: true });
  for (const name of bundles) await cp(join('dist', 'bundle', name), join(folder, 'app', name));
  for (const name of await withDependencies(packages)) await copyPackage(name, folder);
  for (const [to, from] of Object.entries(files)) await cp(from, join(folder, to));
  for (const name of ['LICENSE', 'NOTICE']) {
    await cp(name, join(folder, 'app', name)).catch(ignoreAbsent);
  }
}

function ignoreAbsent(error) {
  if (error.code !== 'ENOENT') throw error;
}

/** Names of packages and of all that they load at run time; what an install script alone needs is left out. */
async function withDependencies(names) {
  const found = new Set();
  const wanted = [...names];
  while (wanted.length > 0) {
    const name = wanted.pop();
    if (found.has(name)) continue;
    found.add(name);
    const { dependencies = {} } = await manifestOf(name);
    wanted.push(...Object.keys(dependencies).filter((one) => !FOR_INSTALL.has(one)));
  }
  return [...found].sort();
}

async function manifestOf(name) {
  return JSON.parse(await readFile(join('node_modules', name, 'package.json'), 'utf8'));
}

async function copyPackage(name, folder) {
  const root = join('node_modules', name);
  for (const path of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!path.isFile()) continue;
    const file = join(path.parentPath, path.name).slice(root.length + 1);
    if (isWanted(file)) await cp(join(root, file), join(folder, 'app', root, file));
  }
}

function isWanted(file) {
  return !UNWANTED.test(file) && (WANTED.test(file) || LICENCE.test(file));
}
