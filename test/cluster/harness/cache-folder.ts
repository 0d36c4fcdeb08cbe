import { join } from 'node:path';
import { cacheBase } from '../../support/cache-base.ts';

/** Where built and unpacked programs live: outside every clone, as `recipe/build.sh` has it. */
export function cacheFolder(): string {
  const own = process.env.LAYERCACHE_TEST_CLUSTER_CACHE;
  if (own !== undefined && own !== '') return own;
  return join(cacheBase(), 'test-cluster');
}
