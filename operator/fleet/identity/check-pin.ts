import { createHash, type X509Certificate } from 'node:crypto';

/** Why a peer is not spoken to; null: its key is one of these, and its certificate in its dates. Names and issuers say nothing. */
export function findPinProblem(
  certificate: X509Certificate | undefined,
  pins: readonly string[],
  nowMs: number,
): 'UnknownKey' | 'Expired' | null {
  if (certificate === undefined || !pins.includes(pinOfCertificate(certificate))) {
    return 'UnknownKey';
  }
  const { validFrom, validTo } = certificate;
  const isInTime = nowMs >= Date.parse(validFrom) && nowMs <= Date.parse(validTo);
  return isInTime ? null : 'Expired';
}

function pinOfCertificate(certificate: X509Certificate): string {
  const der = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}
