import { whyMissing } from './missing-program.ts';
import { Unavailable, controlPlanePrograms, programFolder } from './programs.ts';

/** With `kinds` the control plane knows kinds of other operators, too. */
export type Tier = 'control-plane' | 'kwok' | 'node' | 'kinds';

export const PLUGIN_FOLDER = '/usr/lib/cni';

/** With Debian's packages. */
const OF_EVERY_TIER = {
  setpriv: 'util-linux',
  openssl: 'openssl',
  bash: 'bash',
  flock: 'util-linux',
};
const OF_NODE = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  runc: 'runc',
  buildah: 'buildah',
  [`${PLUGIN_FOLDER}/bridge`]: 'containernetworking-plugins',
};

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
  expectPrograms(OF_EVERY_TIER);
  if (tier === 'node') {
    if (process.getuid?.() !== 0) throw new Unavailable('a node with real pods needs root');
    expectPrograms(OF_NODE);
  }
  await controlPlanePrograms();
  if (tier !== 'control-plane') await programFolder(tier);
}

function expectPrograms(packages: Readonly<Record<string, string>>): void {
  const why = whyMissing(packages);
  if (why !== null) throw new Unavailable(why);
}
