// The engine tfjs-node as `layercache engines install` makes it, for images: always of the pinned recipe.
import { Buffer } from 'node:buffer';
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';

const run = promisify(execFile);
/** Where servers of images look (LAYERCACHE_ENGINES_DIR in the Dockerfile); images with native TensorFlow are for this platform. */
const PLACE = 'usr/lib/layercache/engines/tfjs-node-linux-x64';
const ENGINE_ADDON = 'tfjs_binding.node';
const MARK = 'engine.json';

/** Its folder on this machine; made first unless it is there. Needs what `layercache engines install` needs. */
export async function makeEngine() {
  const { stdout } = await run(process.execPath, [
    'dist/bundle/layercache.mjs',
    'engines',
    'install',
  ]);
  return stdout.trim().replace(/^.*: /, '');
}

/** Copies files of an engine to where it lies in an image, and returns that folder. */
export async function placeEngine(engine, image, files = [ENGINE_ADDON, MARK, 'LICENSE']) {
  const folder = join(image, PLACE);
  await mkdir(folder, { recursive: true });
  for (const file of files) await cp(join(engine, file), join(folder, file));
  return folder;
}

/** The wheel that its libraries are of, and the addon. */
export async function engineComponents({ isWheelNamed = true } = {}) {
  const { wheel, addon } = await pinned();
  const libraries = {
    ...{ type: 'library', name: wheel.package, version: wheel.version },
    ...named(`pkg:pypi/${wheel.package}@${wheel.version}`),
    hashes: [{ alg: 'SHA-256', content: wheel.sha256 }],
    licenses: [{ license: { id: 'Apache-2.0' } }],
  };
  const [group, name] = addon.package.split('/');
  const sources = {
    ...{ type: 'library', group, name, version: addon.version },
    ...named(`pkg:npm/${encodeURIComponent(group)}/${name}@${addon.version}`),
    hashes: [
      {
        alg: 'SHA-512',
        content: Buffer.from(addon.integrity.replace('sha512-', ''), 'base64').toString('hex'),
      },
    ],
    licenses: [{ license: { id: 'Apache-2.0' } }],
  };
  return isWheelNamed ? [libraries, sources] : [sources];
}

function named(purl) {
  return { 'bom-ref': purl, purl };
}

/** What `operator/engines/recipe.ts` says, which imports nothing but Node's own. */
async function pinned() {
  const source = await readFile('operator/engines/recipe.ts', 'utf8');
  const { code } = await transform(source, { loader: 'ts' });
  return (await import(`data:text/javascript,${encodeURIComponent(code)}`)).RECIPE;
}
