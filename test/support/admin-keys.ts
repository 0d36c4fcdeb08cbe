// Admin keys of a service as its pods mount them, and callers with any key.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificate } from '../../operator/fleet/identity/certificate.ts';
import { deriveKey, type IdentityOf } from '../../operator/fleet/identity/derive-key.ts';
import {
  createAdminKeys,
  createKeyPair,
  type KeyPair,
  type KeysOf,
} from '../../operator/fleet/identity/identities.ts';
import { systemClock } from '../../operator/clock.ts';

export const ROOT_KEY = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
export const SERVICE: KeysOf = { serviceUid: '5e0f', generation: 1 };

/** A directory as the Secret of a service is mounted; remove it at the end. */
export function mountAdminKeys(of: KeysOf = SERVICE): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'layercache-admin-'));
  writeAdminKeys(dir, of);
  return {
    dir,
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function writeAdminKeys(dir: string, of: KeysOf = SERVICE): void {
  const keys = createAdminKeys(ROOT_KEY, of, systemClock.nowMs());
  writeFileSync(join(dir, 'tls.key'), keys.privateKey);
  writeFileSync(join(dir, 'tls.crt'), keys.certificate);
  writeFileSync(join(dir, 'peers.json'), keys.peers);
}

export function keyPairOf(
  role: IdentityOf['role'],
  of: KeysOf = SERVICE,
  nowMs = systemClock.nowMs(),
): KeyPair {
  return createKeyPair(ROOT_KEY, { ...of, role }, nowMs);
}

/** A known key whose certificate is out of its dates. */
export function datedKeyPair(notBeforeMs: number, notAfterMs: number): KeyPair {
  const key = deriveKey(ROOT_KEY, { ...SERVICE, role: 'operator' });
  return {
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: createCertificate({ key, commonName: 'operator', notBeforeMs, notAfterMs }),
  };
}
