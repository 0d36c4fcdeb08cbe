import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A folder of files as a mounted Secret or ConfigMap has them; returns its path. */
export function mountFiles(
  dir: string,
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): string {
  const path = join(dir, name);
  mkdirSync(path, { recursive: true });
  for (const [key, content] of Object.entries(files)) writeFileSync(join(path, key), content);
  return path;
}
