import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePeers, type Peer } from '../../crds/wire/peers.ts';
import type { Result } from '../../crds/wire/result.ts';

/** Key and certificate of the admin port in PEM, and who may call it. */
export interface AdminIdentity {
  readonly key: string;
  readonly certificate: string;
  readonly peers: readonly Peer[];
}

/** Reads `tls.key`, `tls.crt` and `peers.json` from the mounted Secret, all three of one state of it. Null: nothing is mounted. */
export async function loadAdminIdentity(dir: string | null): Promise<Result<AdminIdentity | null>> {
  if (dir === null) return { ok: true, value: null };
  const state = await realpath(join(dir, '..data')).catch(() => dir);
  const read = (name: string) => readFile(join(state, name), 'utf8').catch(() => null);
  const [key, certificate, peersText] = await Promise.all(
    ['tls.key', 'tls.crt', 'peers.json'].map(read),
  );
  if (isNone(key) && isNone(certificate) && isNone(peersText)) return { ok: true, value: null };
  if (isNone(key) || isNone(certificate) || isNone(peersText)) {
    return unusable(`${dir} lacks one of tls.key, tls.crt and peers.json`);
  }
  const peers = parsePeers(peersText);
  if (!peers.ok) return peers;
  const problem = findKeyProblem(key, certificate);
  if (problem !== null) return unusable(`${dir}: ${problem}`);
  return { ok: true, value: { key, certificate, peers: peers.value.peers } };
}

/** Whether the two are one identity to every caller. */
export function isSameIdentity(a: AdminIdentity, b: AdminIdentity): boolean {
  const rights = ({ peers }: AdminIdentity): string =>
    peers.map((peer) => `${peer.spki} ${peer.rights}`).join();
  return a.key === b.key && a.certificate === b.certificate && rights(a) === rights(b);
}

function isNone(text: string | null | undefined): text is null | undefined {
  return text === null || text === undefined;
}

function unusable(what: string): Result<never> {
  return {
    ok: false,
    code: 'AdminIdentityUnusable',
    message: `${what}; the admin port goes on as it was until the Secret is whole.`,
  };
}

function findKeyProblem(key: string, certificate: string): string | null {
  try {
    const fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return fits ? null : 'tls.crt was made for another key than tls.key';
  } catch {
    return 'tls.key or tls.crt is not PEM';
  }
}
