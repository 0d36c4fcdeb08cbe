// Lays out what the images hold, below dist/images: bundles, the native packages pruned to one platform, the example model
// and a bill of materials. Both Dockerfiles copy such a folder and do nothing else, so an image needs no network and no
// package manager to be built.
//   node operator/bundle/image-files.mjs [--platform linux-x64 | linux-arm64] [--packages FOLDER] [--output FOLDER]
// Packages of another platform: npm ci --os linux --cpu arm64, in a folder with copies of package.json and its lock.
import { cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commit } from './commit.mjs';
import { contentsOf, isWanted, withDependencies } from './image-contents.mjs';
import { describePackages, writeBillOfMaterials } from './bill-of-materials.mjs';

const { values } = parseArgs({
  options: {
    platform: { type: 'string', default: `${process.platform}-${process.arch}` },
    packages: { type: 'string', default: '.' },
    output: { type: 'string', default: join('dist', 'images') },
  },
});
const { platform, output } = values;
const nodeModules = join(values.packages, 'node_modules');
if (!platform.startsWith('linux-')) {
  console.error(`Images are for Linux, not ${platform}: name linux-x64 or linux-arm64.`);
  process.exit(2);
}
if (commit === 'unknown') {
  console.error(
    'Nobody can tell what these images are built from: set SOURCE_COMMIT, or build in a clone.',
  );
  process.exit(2);
}

const described = await describePackages(values.packages);
const bundled = JSON.parse(await readFile('dist/bundle/packages.json', 'utf8'));
for (const [image, contents] of Object.entries(contentsOf(platform))) {
  const { bundles, packages, files } = contents;
  const folder = join(output, image);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'app'), { recursive: true });
  for (const name of bundles) await cp(join('dist', 'bundle', name), join(folder, 'app', name));
  const copied = await withDependencies(packages, nodeModules);
  for (const name of copied) await copyPackage(name, folder);
  for (const [to, from] of Object.entries(files))
    await cp(from, join(folder, to), { recursive: true });
  for (const name of ['LICENSE', 'NOTICE']) {
    await cp(name, join(folder, 'app', name)).catch(ignoreAbsent);
  }
  const held = [
    ...copied.map((name) => join(nodeModules, name)),
    ...bundles.flatMap((name) => bundled[name] ?? []),
  ];
  await writeBillOfMaterials(join(folder, 'app', 'sbom.cdx.json'), { image, held, described });
}

function ignoreAbsent(error) {
  if (error.code !== 'ENOENT') throw error;
}

async function copyPackage(name, folder) {
  const root = join(nodeModules, name);
  for (const path of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!path.isFile()) continue;
    const file = join(path.parentPath, path.name).slice(root.length + 1);
    if (isWanted(file, platform)) {
      await cp(join(root, file), join(folder, 'app', 'node_modules', name, file));
    }
  }
}
