import type { Secret } from 'kubernetes-types/core/v1.js';

/** What the shell derives from the root key (reliability.md 6.3), as PEM and JSON. */
export interface AdminKeys {
  readonly privateKey: string;
  readonly certificate: string;
  /** `peers.json`: who may call what. */
  readonly peers: string;
}

/** A Secret with the keys of an admin port, as its pods mount it. Created only: a name has one content. */
export function planKeySecret(metadata: NonNullable<Secret['metadata']>, keys: AdminKeys): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    type: 'Opaque',
    immutable: true,
    stringData: {
      'tls.key': keys.privateKey,
      'tls.crt': keys.certificate,
      'peers.json': keys.peers,
    },
  };
}
