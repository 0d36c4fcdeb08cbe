// Lays out what an image for NVIDIA cards has beside the server's, below dist/images: the engine's part for cards, the CUDA libraries
// that it loads, their licences, a bill of materials. Downloads 1.6 GB (server-gpu) or 2.4 GB (server-tensorflow-gpu) of wheels,
// pinned by hash; needs Python 3 with pip, Debian's zlib1g, and for TensorFlow what `layercache engines install` needs. Before
// it: npm run image-files.
//   node operator/bundle/gpu-files.mjs [--image server-gpu | server-tensorflow-gpu] [--output FOLDER]
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { writeBillOfMaterials } from './bill-of-materials.mjs';
import { TENSORFLOW_BUNDLES } from './image-contents.mjs';
import { engineComponents, makeEngine, placeEngine } from './tensorflow-engine.mjs';

const run = promisify(execFile);
const { output, image } = parseArgs({
  options: {
    output: { type: 'string', default: join('dist', 'images') },
    image: { type: 'string', default: 'server-gpu' },
  },
}).values;
const WHEELS = join(output, 'wheels');
const FOLDER = join(output, image);
const LIBRARIES = join(FOLDER, 'usr/lib/cuda');

/** By the name of the image: the wheels, and what of the first of them the engine has no own copy of. */
const IMAGES = {
  'server-gpu': {
    requirements: 'operator/bundle/gpu-requirements.txt',
    python: '3.12',
    engine: 'onnxruntime_gpu',
    // TensorRT and Python are other providers.
    wanted: /^libonnxruntime_providers_(cuda|shared)\.so$/,
    bundles: [],
    place: () =>
      Promise.resolve(join(FOLDER, 'app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64')),
    components: () => Promise.resolve([]),
  },
  'server-tensorflow-gpu': {
    requirements: 'operator/bundle/gpu-tensorflow-requirements.txt',
    python: '3.11',
    engine: 'tensorflow',
    wanted: /^(libtensorflow_(cc|framework)\.so\.2|THIRD_PARTY_NOTICES\.txt)$/,
    bundles: TENSORFLOW_BUNDLES,
    // The addon that the processors' build has: it loads either library.
    place: async () => placeEngine(await makeEngine(), FOLDER),
    components: () => engineComponents({ isWheelNamed: false }),
  },
};
if (!(image in IMAGES)) {
  console.error(`There is no image ${image} for cards: name ${Object.keys(IMAGES).join(' or ')}.`);
  process.exit(2);
}
const { requirements, python, engine, wanted, bundles, place, components } = IMAGES[image];

/** Not what only Fortran callers, profilers, several cards and wrappers load, nor second builds for old distributions. */
const LIBRARY = /^lib(?!nvblas|cufftw|cusolverMg|.*\.alt\.)[\w.-]+\.so\.[\d.]+$/;
const LICENCE = /^(licen[cs]e|third_?party_?notices)/i;
const ZLIB = '/usr/lib/x86_64-linux-gnu/libz.so.1';
const PLATFORMS = [
  'manylinux_2_28',
  'manylinux_2_27',
  'manylinux_2_17',
  'manylinux2010',
  'manylinux2014',
];

await rm(FOLDER, { recursive: true, force: true });
await mkdir(LIBRARIES, { recursive: true });
await mkdir(join(FOLDER, 'app'), { recursive: true });
const enginePlace = await place();
await rm(WHEELS, { recursive: true, force: true });
await run('python3', [
  ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-cache-dir'],
  ...['--require-hashes', '--no-deps', '--only-binary=:all:', '--python-version', python],
  ...PLATFORMS.flatMap((platform) => ['--platform', `${platform}_x86_64`]),
  ...['--requirement', requirements, '--dest', WHEELS],
]);
for (const wheel of await readdir(WHEELS)) await takeFrom(join(WHEELS, wheel));
await rm(WHEELS, { recursive: true });
// cuDNN needs one library more that neither its wheel nor the base has: this machine's, named in the bill of materials.
await cp(ZLIB, join(LIBRARIES, basename(ZLIB)), { dereference: true });
await cp('/usr/share/doc/zlib1g/copyright', join(FOLDER, 'usr/share/doc/zlib1g/copyright'));
for (const name of bundles) await cp(join('dist', 'bundle', name), join(FOLDER, 'app', name));

// The server's bill has all that is said of the project, too, and its programs have all packages of the workers.
const server = JSON.parse(await readFile(join(output, 'server/app/sbom.cdx.json'), 'utf8'));
await writeBillOfMaterials(join(FOLDER, 'app', 'sbom.cdx.json'), {
  ...{ image, held: [], described: server },
  further: [
    ...server.components,
    ...(await components()),
    ...(await wheelComponents()),
    await zlibComponent(),
  ],
});

async function takeFrom(wheel) {
  const unpacked = `${wheel}.d`;
  await run('python3', ['-m', 'zipfile', '-e', wheel, unpacked]);
  await rm(wheel);
  const [name] = basename(wheel).split('-');
  const isEngine = name === engine;
  for (const entry of await readdir(unpacked, { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    if (isEngine && wanted.test(entry.name)) await cp(from, join(enginePlace, entry.name));
    if (!isEngine && LIBRARY.test(entry.name)) await cp(from, join(LIBRARIES, entry.name));
    // Headers that a wheel brings have licences of their own.
    if (LICENCE.test(entry.name) && !from.includes('/include/external/')) {
      await cp(from, join(FOLDER, 'usr/share/doc', name, entry.name));
    }
  }
  await rm(unpacked, { recursive: true });
}

/** What the requirements pin. */
async function wheelComponents() {
  const text = await readFile(requirements, 'utf8');
  return [...text.matchAll(/^([\w-]+)==(\S+) --hash=sha256:([0-9a-f]{64})$/gm)].map(
    ([, name, version, content]) => ({
      ...{ type: 'library', name, version, 'bom-ref': `pkg:pypi/${name}@${version}` },
      purl: `pkg:pypi/${name}@${version}`,
      hashes: [{ alg: 'SHA-256', content }],
      licenses: [
        name.startsWith('nvidia-')
          ? { license: { name: 'NVIDIA Software License Agreement' } }
          : { license: { id: name === 'tensorflow' ? 'Apache-2.0' : 'MIT' } },
      ],
    }),
  );
}

async function zlibComponent() {
  const { stdout } = await run('dpkg-query', ['--show', '--showformat', '${Version}', 'zlib1g']);
  const content = createHash('sha256')
    .update(await readFile(ZLIB))
    .digest('hex');
  const purl = `pkg:deb/debian/zlib1g@${encodeURIComponent(stdout)}?arch=amd64`;
  return {
    ...{ type: 'library', name: 'zlib1g', version: stdout, 'bom-ref': purl, purl },
    hashes: [{ alg: 'SHA-256', content }],
    licenses: [{ license: { id: 'Zlib' } }],
  };
}
