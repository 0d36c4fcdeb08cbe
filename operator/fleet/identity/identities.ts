import { serializePeers } from '../../../crds/wire/peers.ts';
import { createCertificate, spkiPin } from './certificate.ts';
import { deriveKey, type IdentityOf } from './derive-key.ts';

/** A key with its certificate, as PEM. */
export interface KeyPair {
  readonly privateKey: string;
  readonly certificate: string;
}

/** What a Secret of admin keys holds. */
export interface AdminKeys extends KeyPair {
  /** `peers.json`. */
  readonly peers: string;
}

/** The service and generation of a set of keys. */
export type KeysOf = Omit<IdentityOf, 'role'>;

const DAY_MS = 86_400_000;
/** Clocks of two machines may differ by hours; keys are replaced by the next generation, not by time. */
const VALID_BEFORE_MS = DAY_MS;
const VALID_AFTER_MS = 3650 * DAY_MS;

/** Key and certificate of one role; `nowMs` sets the dates of the certificate only. */
export function createKeyPair(root: Uint8Array, of: IdentityOf, nowMs: number): KeyPair {
  const key = deriveKey(root, of);
  return {
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: createCertificate({
      key,
      commonName: `layercache-${of.role}`,
      notBeforeMs: nowMs - VALID_BEFORE_MS,
      notAfterMs: nowMs + VALID_AFTER_MS,
    }),
  };
}

/** The content of Secret `<name>-admin-g<generation>`: the servers' key, and who may call them. */
export function createAdminKeys(root: Uint8Array, of: KeysOf, nowMs: number): AdminKeys {
  const peers = serializePeers({
    schemaVersion: 1,
    peers: [
      { role: 'operator', spki: pinOf(root, { ...of, role: 'operator' }), rights: 'all' },
      { role: 'trainer', spki: pinOf(root, { ...of, role: 'trainer' }), rights: 'samples' },
    ],
  });
  return { ...createKeyPair(root, { ...of, role: 'server' }, nowMs), peers };
}

/** The content of Secret `<name>-trainer-g<generation>`: the key of a training Job, whose own port admits the operator alone. */
export function createTrainerKeys(root: Uint8Array, of: KeysOf, nowMs: number): AdminKeys {
  const spki = pinOf(root, { ...of, role: 'operator' });
  const peers = serializePeers({
    schemaVersion: 1,
    peers: [{ role: 'operator', spki, rights: 'all' }],
  });
  return { ...createKeyPair(root, { ...of, role: 'trainer' }, nowMs), peers };
}

/** The pin by which the holder of the root key knows a peer. */
export function pinOf(root: Uint8Array, of: IdentityOf): string {
  return spkiPin(deriveKey(root, of));
}
