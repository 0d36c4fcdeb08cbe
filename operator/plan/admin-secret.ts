import type { Secret } from 'kubernetes-types/core/v1.js';

import { planKeySecret, type AdminKeys } from './key-secret.ts';
import { adminSecretName } from './names.ts';
import { childMetadata } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

/**
 * The Secret with the keys of the servers' admin ports. Created only, never read back or changed: a generation has one
 * name and one content, so an existing one is the same.
 */
export function planAdminSecret(
  service: ServiceToPlan,
  adminGeneration: number,
  keys: AdminKeys,
): Secret {
  const metadata = childMetadata(service, adminSecretName(service.name, adminGeneration));
  return planKeySecret(metadata, keys);
}
