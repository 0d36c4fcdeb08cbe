import { existsSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** Why programs cannot be run here, with the next step; null: all are there. Programs by name or path, with Debian's package. */
export function whyMissing(packages: Readonly<Record<string, string>>): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const missing = Object.keys(packages).filter(
    (program) => !folders.some((folder) => existsSync(resolve(folder, program))),
  );
  if (missing.length === 0) return null;
  const wanted = new Set(missing.map((program) => packages[program]));
  return `${missing.join(', ')} is missing: apt-get install ${[...wanted].join(' ')}`;
}
