import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where built and unpacked programs live: outside every clone, as `recipe/build.sh` has it. */
export function cacheFolder(): string {
  const own = process.env.LAYERCACHE_TEST_CLUSTER_CACHE;
  if (own !== undefined && own !== '') return own;
  const shared = process.env.XDG_CACHE_HOME;
  const base = shared === undefined || shared === '' ? join(homedir(), '.cache') : shared;
  return join(base, 'layercache', 'test-cluster');
}
