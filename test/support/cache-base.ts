import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where tests keep what is built or fetched once, outside every clone. An empty variable is the same as none. */
export function cacheBase(): string {
  const shared = process.env.XDG_CACHE_HOME;
  const base = shared === undefined || shared === '' ? join(homedir(), '.cache') : shared;
  return join(base, 'layercache');
}
