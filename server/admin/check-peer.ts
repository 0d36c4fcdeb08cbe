import { createHash, type X509Certificate } from 'node:crypto';
import type { Peer } from '../../crds/wire/peers.ts';

export type PeerVerdict =
  { readonly ok: true; readonly peer: Peer } | { readonly ok: false; readonly problem: string };

/**
 * Who calls. The handshake has proved that the caller owns the key of its certificate; names and issuers say nothing here, the
 * key alone is compared. A certificate out of its dates is refused although its key is known.
 */
export function checkPeer(
  certificate: X509Certificate | undefined,
  peers: readonly Peer[],
  nowMs: number,
): PeerVerdict {
  if (certificate === undefined) return { ok: false, problem: 'no certificate' };
  const spki = spkiPin(certificate);
  const peer = peers.find((one) => one.spki === spki);
  if (peer === undefined) return { ok: false, problem: `unknown key ${spki}` };
  const isInTime =
    nowMs >= Date.parse(certificate.validFrom) && nowMs <= Date.parse(certificate.validTo);
  return isInTime
    ? { ok: true, peer }
    : { ok: false, problem: `${peer.role} has an expired certificate` };
}

function spkiPin(certificate: X509Certificate): string {
  const der = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}
