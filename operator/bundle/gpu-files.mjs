// Lays out what the image for NVIDIA cards has beside the server's, below dist/images/server-gpu: onnxruntime's CUDA provider
// beside the addon that loads it, the libraries that it needs, their licences, a bill of materials. Downloads 1.6 GB of
// wheels, pinned by hash; needs Python 3 with pip, and Debian's zlib1g. Before it: npm run image-files.
//   node operator/bundle/gpu-files.mjs [--output FOLDER]
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { writeBillOfMaterials } from './bill-of-materials.mjs';

const run = promisify(execFile);
const REQUIREMENTS = 'operator/bundle/gpu-requirements.txt';
const { output } = parseArgs({
  options: { output: { type: 'string', default: join('dist', 'images') } },
}).values;
const WHEELS = join(output, 'wheels');
const FOLDER = join(output, 'server-gpu');
const PROVIDERS = join(FOLDER, 'app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64');
const LIBRARIES = join(FOLDER, 'usr/lib/cuda');

/** Of the wheel with the provider, what Node's addon has no own copy of; TensorRT and Python are other providers. */
const PROVIDER = /^libonnxruntime_providers_(cuda|shared)\.so$/;
/** Not what only Fortran callers, profilers and wrappers load, nor second builds for old distributions. */
const LIBRARY = /^lib(?!nvblas|cufftw|.*\.alt\.)[\w.-]+\.so\.[\d.]+$/;
const ZLIB = '/usr/lib/x86_64-linux-gnu/libz.so.1';
const PLATFORMS = [
  'manylinux_2_28',
  'manylinux_2_27',
  'manylinux_2_17',
  'manylinux2010',
  'manylinux2014',
];

await rm(FOLDER, { recursive: true, force: true });
await mkdir(PROVIDERS, { recursive: true });
await mkdir(LIBRARIES, { recursive: true });
await rm(WHEELS, { recursive: true, force: true });
await run('python3', [
  ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-cache-dir'],
  ...['--require-hashes', '--no-deps', '--only-binary=:all:', '--python-version', '3.12'],
  ...PLATFORMS.flatMap((platform) => ['--platform', `${platform}_x86_64`]),
  ...['--requirement', REQUIREMENTS, '--dest', WHEELS],
]);
for (const wheel of await readdir(WHEELS)) await takeFrom(join(WHEELS, wheel));
await rm(WHEELS, { recursive: true });
// cuDNN needs one library more that neither its wheel nor the base has: this machine's, named in the bill of materials.
await cp(ZLIB, join(LIBRARIES, basename(ZLIB)), { dereference: true });
await cp('/usr/share/doc/zlib1g/copyright', join(FOLDER, 'usr/share/doc/zlib1g/copyright'));

// The server's bill has all that is said of the project, too.
const server = JSON.parse(await readFile(join(output, 'server/app/sbom.cdx.json'), 'utf8'));
await writeBillOfMaterials(join(FOLDER, 'app', 'sbom.cdx.json'), {
  ...{ image: 'server-gpu', held: [], described: server },
  further: [...server.components, ...(await wheelComponents()), await zlibComponent()],
});

async function takeFrom(wheel) {
  const unpacked = `${wheel}.d`;
  await run('python3', ['-m', 'zipfile', '-e', wheel, unpacked]);
  await rm(wheel);
  const isProvider = basename(wheel).startsWith('onnxruntime_gpu-');
  const [name] = basename(wheel).split('-');
  for (const entry of await readdir(unpacked, { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    if (isProvider && PROVIDER.test(entry.name)) await cp(from, join(PROVIDERS, entry.name));
    if (!isProvider && LIBRARY.test(entry.name)) await cp(from, join(LIBRARIES, entry.name));
    if (/^(licen[cs]e|thirdpartynotices)/i.test(entry.name)) {
      await cp(from, join(FOLDER, 'usr/share/doc', name, entry.name));
    }
  }
  await rm(unpacked, { recursive: true });
}

/** What the requirements pin. */
async function wheelComponents() {
  const text = await readFile(REQUIREMENTS, 'utf8');
  return [...text.matchAll(/^([\w-]+)==(\S+) --hash=sha256:([0-9a-f]{64})$/gm)].map(
    ([, name, version, content]) => ({
      ...{ type: 'library', name, version, 'bom-ref': `pkg:pypi/${name}@${version}` },
      purl: `pkg:pypi/${name}@${version}`,
      hashes: [{ alg: 'SHA-256', content }],
      licenses: [
        name.startsWith('nvidia-')
          ? { license: { name: 'NVIDIA Software License Agreement' } }
          : { license: { id: 'MIT' } },
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
