// Lays out what the image with native TensorFlow has beside the server's, below dist/images/server-tensorflow: the worker, the engine
// tfjs-node with its notices, a bill of materials. Before it: npm run image-files; it needs what `layercache engines install`
// needs, and downloads 252 MB unless that has run.
//   node operator/bundle/tensorflow-files.mjs [--output FOLDER]
import { cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeBillOfMaterials } from './bill-of-materials.mjs';
import { TENSORFLOW_BUNDLES } from './image-contents.mjs';
import { engineComponents, makeEngine, placeEngine } from './tensorflow-engine.mjs';

const { output } = parseArgs({
  options: { output: { type: 'string', default: join('dist', 'images') } },
}).values;
const folder = join(output, 'server-tensorflow');

await rm(folder, { recursive: true, force: true });
await mkdir(join(folder, 'app'), { recursive: true });
for (const name of TENSORFLOW_BUNDLES) {
  await cp(join('dist', 'bundle', name), join(folder, 'app', name));
}
const engine = await makeEngine();
await placeEngine(engine, folder, await readdir(engine));

// The worker has no package that the server's programs have not, and the server's bill has all that is said of the project.
const server = JSON.parse(await readFile(join(output, 'server/app/sbom.cdx.json'), 'utf8'));
await writeBillOfMaterials(join(folder, 'app', 'sbom.cdx.json'), {
  ...{ image: 'server-tensorflow', held: [], described: server },
  further: [...server.components, ...(await engineComponents())],
});
