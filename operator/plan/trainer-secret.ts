import type { Secret } from 'kubernetes-types/core/v1.js';

import type { AdminKeys } from './admin-secret.ts';
import { trainerSecretName } from './names.ts';
import { childMetadata } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

/**
 * The keys of a training Job: who it is to the servers, and that only the operator may call it. Created only, like the
 * servers' own.
 */
export function planTrainerSecret(
  service: ServiceToPlan,
  adminGeneration: number,
  keys: AdminKeys,
): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: childMetadata(service, trainerSecretName(service.name, adminGeneration), 'trainer'),
    type: 'Opaque',
    immutable: true,
    stringData: {
      'tls.key': keys.privateKey,
      'tls.crt': keys.certificate,
      'peers.json': keys.peers,
    },
  };
}
