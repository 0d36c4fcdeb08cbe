import { z } from 'zod';

import { canonicalJson, checkShape, readJson, type DocumentKind } from './json.ts';
import type { Result } from './result.ts';
import * as shapes from './shapes.ts';

/** What a peer may call on an admin port: everything, or GET /v1/samples and GET /v1/state alone. */
export type PeerRights = 'all' | 'samples';

/** A caller, known by nothing but its key. */
export interface Peer {
  /** `operator` or `trainer`: text for logs. */
  readonly role: string;
  /** `sha256:<64 hex>` of the public key as SubjectPublicKeyInfo in DER. */
  readonly spki: string;
  readonly rights: PeerRights;
}

/** `peers.json` beside the key of an admin port. */
export interface Peers {
  readonly schemaVersion: 1;
  readonly peers: readonly Peer[];
}

const schema: z.ZodType<Peers> = z.strictObject({
  schemaVersion: shapes.schemaVersion,
  peers: z
    .array(
      z.strictObject({
        role: z.string().regex(/^[a-z]{1,32}$/, 'expected a word in small letters'),
        spki: shapes.digest,
        rights: z.enum(['all', 'samples']),
      }),
    )
    .min(1)
    .max(16)
    .refine((peers) => shapes.areUnique(peers.map(({ spki }) => spki)), 'a key stands twice'),
});

const kind: DocumentKind = {
  name: 'list of peers',
  maxBytes: 16 * 1024,
  nextStep: 'the admin port stays on loopback until the file is well-formed',
};

/** Text -> peers, strict: an unknown right would otherwise be a right that nobody meant to give. */
export function parsePeers(text: string): Result<Peers> {
  const json = readJson(text, kind);
  return json.ok ? checkShape(json.value, schema, kind) : json;
}

/** The one text of the peers: sorted keys, no white space. */
export function serializePeers(peers: Peers): string {
  return canonicalJson(peers);
}
