import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePeers, type Peer } from '../../crds/wire/peers.ts';
import type { Result } from '../../crds/wire/result.ts';

/** Key and certificate of a trainer in PEM, and who may call it. */
export interface TrainerIdentity {
  readonly key: string;
  readonly certificate: string;
  readonly peers: readonly Peer[];
}

/** Reads the mounted Secret. Unlike a server, a trainer without its keys is of no use: nobody could take its heads. */
export function loadTrainerIdentity(dir: string): Result<TrainerIdentity> {
  try {
    const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
    const peers = parsePeers(read('peers.json'));
    if (!peers.ok) return peers;
    const identity = { key: read('tls.key'), certificate: read('tls.crt') };
    return { ok: true, value: { ...identity, peers: peers.value.peers } };
  } catch {
    return {
      ok: false,
      code: 'AdminIdentityUnusable',
      message: `${dir} lacks one of tls.key, tls.crt and peers.json; mount the whole Secret there.`,
    };
  }
}
