import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Unavailable, controlPlanePrograms, programFolder } from './programs.ts';

export type Tier = 'control-plane' | 'kwok' | 'node';

/**
 * Why a tier cannot run here, with the next step, or null when it can. Builds its programs; what is skipped is also
 * said on standard error, so that no run is quietly smaller than it looks.
 */
export async function whyUnavailable(tier: Tier): Promise<string | null> {
  try {
    await expectAvailable(tier);
    return null;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    process.stderr.write(`\nSKIPPED: tests that need the ${tier} tier: ${error.message}\n`);
    return error.message;
  }
}

async function expectAvailable(tier: Tier): Promise<void> {
  if (process.env.LAYERCACHE_TEST_CLUSTER === 'off') {
    throw new Unavailable('LAYERCACHE_TEST_CLUSTER=off');
  }
  if (process.platform !== 'linux') throw new Unavailable('it needs Linux');
  expectPrograms(['setpriv', 'openssl', 'bash', 'flock'], 'util-linux openssl');
  if (tier === 'node') expectNodeTools();
  await controlPlanePrograms();
  if (tier !== 'control-plane') await programFolder(tier);
}

export const PLUGIN_FOLDER = '/usr/lib/cni';

function expectNodeTools(): void {
  if (process.getuid?.() !== 0) throw new Unavailable('a node with real pods needs root');
  expectPrograms(['unshare', 'nsenter', 'ip', 'nft', 'runc', 'buildah'], NODE_PACKAGES);
  if (!existsSync(join(PLUGIN_FOLDER, 'bridge'))) {
    throw new Unavailable(`${PLUGIN_FOLDER}/bridge is missing: apt-get install ${NODE_PACKAGES}`);
  }
}

const NODE_PACKAGES = 'runc containernetworking-plugins nftables iproute2 buildah';

function expectPrograms(names: readonly string[], packages: string): void {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const missing = names.filter((name) => !folders.some((f) => existsSync(join(f, name))));
  if (missing.length > 0) {
    throw new Unavailable(`${missing.join(', ')} is missing: apt-get install ${packages}`);
  }
}
