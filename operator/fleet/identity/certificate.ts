import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto';
import * as der from './der.ts';

const OID = {
  ed25519: '1.3.101.112',
  commonName: '2.5.4.3',
  basicConstraints: '2.5.29.19',
} as const;

export interface CertificateFacts {
  /** An Ed25519 private key; the certificate is its own issuer. */
  readonly key: KeyObject;
  readonly commonName: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * A self-signed X.509 certificate (RFC 5280, RFC 8410) as PEM. It carries a key and its dates; nothing else of it is believed,
 * since peers compare keys. Equal facts give equal bytes: the serial number comes from the key.
 */
export function createCertificate(facts: CertificateFacts): string {
  const spki = spkiOf(facts.key);
  const algorithm = der.sequence(der.oid(OID.ed25519));
  const name = der.sequence(
    der.setOf(der.sequence(der.oid(OID.commonName), der.utf8String(facts.commonName))),
  );
  const noAuthority = der.sequence(
    der.oid(OID.basicConstraints),
    der.boolean(true),
    der.octetString(der.sequence()),
  );
  const body = der.sequence(
    der.explicit(0, der.integer(Uint8Array.of(2))),
    der.integer(serialOf(spki)),
    algorithm,
    name,
    der.sequence(der.time(facts.notBeforeMs), der.time(facts.notAfterMs)),
    name,
    spki,
    der.explicit(3, der.sequence(noAuthority)),
  );
  const whole = der.sequence(body, algorithm, der.bitString(sign(null, body, facts.key)));
  return toPem('CERTIFICATE', whole);
}

function spkiOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** How peers know a key: `sha256:<64 hex>` of its public half as SubjectPublicKeyInfo. */
export function spkiPin(key: KeyObject): string {
  return `sha256:${createHash('sha256').update(spkiOf(key)).digest('hex')}`;
}

/** 16 bytes, never zero and never negative. */
function serialOf(spki: Uint8Array): Uint8Array {
  const serial = createHash('sha256').update(spki).digest().subarray(0, 16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function toPem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
