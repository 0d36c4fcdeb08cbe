import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The files of a mounted Secret or ConfigMap by key; null when nothing is mounted. Names that start with `..` are the kubelet's.
 * An optional Secret that does not exist is an empty directory.
 */
export async function readMountedFiles(dir: string | null): Promise<Map<string, string> | null> {
  if (dir === null) return null;
  const names = await readdir(dir).catch(() => null);
  if (names === null) return null;
  const files = new Map<string, string>();
  for (const name of names.filter((one) => !one.startsWith('..'))) {
    const text = await readFile(join(dir, name), 'utf8').catch(() => null);
    if (text !== null) files.set(name, text);
  }
  return files;
}
