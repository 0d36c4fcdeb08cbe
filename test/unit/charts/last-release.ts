// Charts as they were released, each frozen as the archive that was published.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../golden/charts/releases', import.meta.url));
const ARCHIVE = /^layercache-(\d+)\.(\d+)\.(\d+)\.tgz$/;

export interface Release {
  readonly version: string;
  readonly archive: string;
}

export function lastRelease(): Release {
  const version = newestOf(readdirSync(FOLDER));
  return { version, archive: `${FOLDER}/layercache-${version}.tgz` };
}

/** The highest version that an archive among the files has. */
export function newestOf(files: readonly string[]): string {
  const versions = files.flatMap((file) => {
    const [, ...parts] = ARCHIVE.exec(file) ?? [];
    return parts.length === 0 ? [] : [parts.map(Number)];
  });
  const newest = versions.sort((a, b) => order(b, a))[0];
  if (newest === undefined) throw new Error('there is no archive of a release');
  return newest.join('.');
}

function order(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at === -1 ? 0 : a[at]! - b[at]!;
}
