import { createPrivateKey, hkdfSync, type KeyObject } from 'node:crypto';

export type IdentityRole = 'operator' | 'server' | 'trainer';

/** Whose key: every service and every generation of it has its own three. */
export interface IdentityOf {
  readonly role: IdentityRole;
  /** UID of the CachedModelService. */
  readonly serviceUid: string;
  /** `status.adminGeneration`; the next one is a new key. */
  readonly generation: number;
}

const ROOT_KEY_BYTES = 32;
const SALT = 'layercache admin identity 1';
/** PKCS #8 of an Ed25519 key up to its 32-byte seed (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The Ed25519 key of one role, from the root key alone (HKDF with SHA-256, RFC 5869): a new leader has it at once and no Secret is
 * ever read back. Throws when the root key is not 32 bytes long.
 */
export function deriveKey(
  root: Uint8Array,
  { role, serviceUid, generation }: IdentityOf,
): KeyObject {
  if (root.length !== ROOT_KEY_BYTES) {
    throw new Error(`the root key has ${root.length} bytes, not ${ROOT_KEY_BYTES}`);
  }
  // A UID holds no zero byte, so no two triples have one text.
  const info = [role, serviceUid, String(generation)].join('\0');
  const seed = Buffer.from(hkdfSync('sha256', root, SALT, info, 32));
  const key = Buffer.concat([PKCS8_PREFIX, seed]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}
