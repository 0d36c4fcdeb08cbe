import { spawnSync } from 'node:child_process';
import { X509Certificate, createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parsePeers } from '../../../../../crds/wire/peers.ts';
import { createCertificate, spkiPin } from '../../../../../operator/fleet/identity/certificate.ts';
import { deriveKey, type IdentityOf } from '../../../../../operator/fleet/identity/derive-key.ts';
import {
  createAdminKeys,
  createKeyPair,
  pinOf,
} from '../../../../../operator/fleet/identity/identities.ts';

const ROOT = Uint8Array.from({ length: 32 }, (_, i) => i);
const NOW = Date.UTC(2026, 10, 25, 12);
const OF: IdentityOf = { role: 'server', serviceUid: 'a1b2', generation: 1 };

describe('a key', () => {
  test('comes from root, role, service and generation alone, and changes with each of them', () => {
    const changed: [Uint8Array, IdentityOf][] = [
      [ROOT, OF],
      [ROOT, { ...OF, role: 'operator' }],
      [ROOT, { ...OF, role: 'trainer' }],
      [ROOT, { ...OF, serviceUid: 'a1b3' }],
      [ROOT, { ...OF, generation: 2 }],
      [ROOT, { ...OF, serviceUid: 'a1b', generation: 21 }],
      [ROOT.map((byte) => byte + 1), OF],
    ];
    const pins = changed.map(([root, of]) => pinOf(root, of));
    expect(new Set(pins).size).toBe(changed.length);
    expect(changed.map(([root, of]) => pinOf(root, of))).toEqual(pins);
  });

  test('stays what it was in every release: servers hold certificates for years', () => {
    expect(pinOf(ROOT, OF)).toMatchInlineSnapshot(
      `"sha256:f311068c5a5c4afe4734f7f420a493b8804fe088a8703202f58f1ffaec9be3f4"`,
    );
  });

  test.each([0, 31, 33])('is refused from a root of %i bytes', (length) => {
    expect(() => deriveKey(new Uint8Array(length), OF)).toThrow(`${length} bytes, not 32`);
  });
});

describe('a certificate', () => {
  const pair = createKeyPair(ROOT, OF, NOW);
  const read = new X509Certificate(pair.certificate);

  test('is read by Node as what was written', () => {
    expect(read.subject).toBe('CN=layercache-server');
    expect(read.issuer).toBe(read.subject);
    expect(read.ca).toBe(false);
    expect(Date.parse(read.validFrom)).toBe(NOW - 86_400_000);
    expect(Date.parse(read.validTo)).toBe(NOW + 3650 * 86_400_000);
    expect(read.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  test('is signed by its own key, and holds it', () => {
    const key = createPrivateKey(pair.privateKey);
    expect(read.checkPrivateKey(key)).toBe(true);
    expect(read.verify(createPublicKey(key))).toBe(true);
    expect(read.publicKey.asymmetricKeyType).toBe('ed25519');
    expect(spkiPin(key)).toBe(pinOf(ROOT, OF));
  });

  test('is the same for the same facts', () => {
    expect(createKeyPair(ROOT, OF, NOW)).toEqual(pair);
  });

  test('may end after 2050', () => {
    const key = deriveKey(ROOT, OF);
    const notAfterMs = Date.UTC(2061, 5, 1);
    const pem = createCertificate({ key, commonName: 'late', notBeforeMs: NOW, notAfterMs });
    expect(Date.parse(new X509Certificate(pem).validTo)).toBe(notAfterMs);
  });

  const program = 'openssl';
  const openssl = spawnSync(program, ['version']).status === 0;
  test.skipIf(!openssl)('is verified by openssl, strictly, byte for byte', () => {
    const run = (args: string[], input: string) =>
      spawnSync(program, args, { input, encoding: 'utf8' });
    const shown = run(['x509', '-noout', '-text'], pair.certificate);
    expect(shown.stdout).toContain('Signature Algorithm: ED25519');
    expect(shown.stdout).toContain('CA:FALSE');
    expect(shown.stderr).toBe('');
    expect(run(['x509', '-outform', 'pem'], pair.certificate).stdout).toBe(pair.certificate);
    expect(run(['asn1parse'], pair.certificate).status).toBe(0);
  });
});

test('the Secret of a service holds the key of its servers and lets in its own operator and trainer', () => {
  const of = { serviceUid: 'a1b2', generation: 1 };
  const keys = createAdminKeys(ROOT, of, NOW);
  expect(spkiPin(createPrivateKey(keys.privateKey))).toBe(pinOf(ROOT, { ...of, role: 'server' }));
  expect(parsePeers(keys.peers)).toEqual({
    ok: true,
    value: {
      schemaVersion: 1,
      peers: [
        { role: 'operator', spki: pinOf(ROOT, { ...of, role: 'operator' }), rights: 'all' },
        { role: 'trainer', spki: pinOf(ROOT, { ...of, role: 'trainer' }), rights: 'samples' },
      ],
    },
  });
});
