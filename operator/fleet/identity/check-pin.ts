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

/** As `findPinProblem` for one key, of a peer that shows the same certificate again and again. */
export type PinCheck = (
  certificate: X509Certificate | undefined,
  nowMs: number,
) => ReturnType<typeof findPinProblem>;

/**
 * Remembers the certificate that held last by its SHA-256, which covers each of its bytes: taking the key out of it and hashing
 * that costs a fifth of a handshake (profile of 10,000 pods), and all pods of a service show the same one.
 */
export function createPinCheck(pin: string): PinCheck {
  let held = { fingerprint: '', fromMs: 0, toMs: 0 };
  return (certificate, nowMs) => {
    if (certificate === undefined) return 'UnknownKey';
    const fingerprint = certificate.fingerprint256;
    if (fingerprint === held.fingerprint) {
      return nowMs >= held.fromMs && nowMs <= held.toMs ? null : 'Expired';
    }
    const problem = findPinProblem(certificate, [pin], nowMs);
    if (problem === null) {
      const { validFrom, validTo } = certificate;
      held = { fingerprint, fromMs: Date.parse(validFrom), toMs: Date.parse(validTo) };
    }
    return problem;
  };
}

function pinOfCertificate(certificate: X509Certificate): string {
  const der = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}
