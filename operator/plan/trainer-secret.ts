import type { Secret } from 'kubernetes-types/core/v1.js';

import { planKeySecret, type AdminKeys } from './key-secret.ts';
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
  const metadata = childMetadata(
    service,
    trainerSecretName(service.name, adminGeneration),
    'trainer',
  );
  return planKeySecret(metadata, keys);
}
