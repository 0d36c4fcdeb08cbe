import type { Secret } from 'kubernetes-types/core/v1.js';

import { adminSecretName } from './names.ts';
import { childMetadata } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

/** What the shell derives from the root key (reliability.md 6.3), as PEM and JSON. */
export interface AdminKeys {
  readonly privateKey: string;
  readonly certificate: string;
  /** `peers.json`: who may call what. */
  readonly peers: string;
}

/**
 * The Secret with the keys of the servers' admin ports. Created only, never read back or changed: a generation has one
 * name and one content, so an existing one is the same.
 */
export function planAdminSecret(
  service: ServiceToPlan,
  adminGeneration: number,
  keys: AdminKeys,
): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: childMetadata(service, adminSecretName(service.name, adminGeneration)),
    type: 'Opaque',
    immutable: true,
    stringData: {
      'tls.key': keys.privateKey,
      'tls.crt': keys.certificate,
      'peers.json': keys.peers,
    },
  };
}
