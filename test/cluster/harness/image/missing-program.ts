import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Why programs cannot be run here, with the next step; null: all are there. Programs by name, with Debian's package. */
export function whyMissing(packages: Readonly<Record<string, string>>): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const missing = Object.entries(packages).find(
    ([program]) => !folders.some((folder) => existsSync(join(folder, program))),
  );
  return missing === undefined ? null : `${missing[0]} is missing: apt-get install ${missing[1]}`;
}
