import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';

/** Changed with the code that makes what is kept: files of before are then not found any more. */
const CACHE_VERSION = 2;

/**
 * What `make` gives, made once for equal keys and kept. Plain data and typed arrays only.
 * @param key everything that the result depends on, as JSON.
 */
export type Cache = <T>(name: string, key: unknown, make: () => Promise<T>) => Promise<T>;

/** Outside the repository, beside what other commands keep. */
export const CACHE_DIR = join(homedir(), '.cache', 'layercache', 'bench-exits');

export function createCache(folder: string): Cache {
  return async <T>(name: string, key: unknown, make: () => Promise<T>): Promise<T> => {
    const hash = createHash('sha256').update(JSON.stringify([CACHE_VERSION, name, key]));
    const path = join(folder, `${name}-${hash.digest('hex').slice(0, 24)}.v8`);
    if (existsSync(path)) return deserialize(readFileSync(path)) as T;
    const made = await make();
    mkdirSync(folder, { recursive: true });
    // Renamed when whole: a run that was ended leaves no half file.
    writeFileSync(`${path}.part`, serialize(made));
    renameSync(`${path}.part`, path);
    return made;
  };
}
