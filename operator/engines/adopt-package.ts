// An installed package @tensorflow/tfjs-node, whose own script has fetched its library and addon.
import { cp, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ENGINE_ADDON } from '../../server/core/tensorflow/engine-files.ts';

/**
 * Copies of it what a server loads, each where the addon looks for the others.
 * @returns the package's version; null when the folder is no such package, or its script has not run.
 */
export async function adoptPackage(from: string, engine: string): Promise<string | null> {
  const version = await versionOf(from);
  const addon = await addonOf(from);
  if (version === null || addon === null) return null;
  await mkdir(join(engine, 'lib', addon), { recursive: true });
  const inside = join('lib', addon, ENGINE_ADDON);
  await cp(join(from, inside), join(engine, inside), { dereference: true });
  await cp(join(from, 'deps', 'lib'), join(engine, 'deps', 'lib'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  // Node follows it before it loads, so the addon still finds the libraries beside its own folder.
  await symlink(inside, join(engine, ENGINE_ADDON));
  return version;
}

async function versionOf(from: string): Promise<string | null> {
  const text = await readFile(join(from, 'package.json'), 'utf8').catch(() => '{}');
  const { name, version } = JSON.parse(text) as Readonly<Record<string, unknown>>;
  return name === '@tensorflow/tfjs-node' && typeof version === 'string' ? version : null;
}

/** The folder of the newest addon, such as napi-v8. */
async function addonOf(from: string): Promise<string | null> {
  const names = await readdir(join(from, 'lib')).catch(() => []);
  for (const name of names.sort().reverse()) {
    const isThere = await stat(join(from, 'lib', name, ENGINE_ADDON)).then(
      (facts) => facts.isFile(),
      () => false,
    );
    if (isThere) return name;
  }
  return null;
}
