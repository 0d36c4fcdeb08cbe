import { generateKeyPairSync } from 'node:crypto';
import { systemClock } from '../../operator/clock.ts';
import { createCertificate } from '../../operator/fleet/identity/certificate.ts';

const HOUR_MS = 3_600_000;

/** A key with its self-signed certificate for a host name, for the two hours around now. Both PEM. */
export function hostCertificate(name: string): { readonly key: string; readonly ca: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const nowMs = systemClock.nowMs();
  const ca = createCertificate({
    key: privateKey,
    commonName: name,
    notBeforeMs: nowMs - HOUR_MS,
    notAfterMs: nowMs + HOUR_MS,
  });
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), ca };
}
