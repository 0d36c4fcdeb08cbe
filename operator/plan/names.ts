/** Names of the children of a service (api.md 6): all at most 63 characters while the service's is at most 40. */

export const FIELD_MANAGER = 'layercache-operator';

export const ANNOTATIONS = {
  templateInputs: 'layercache.io/template-inputs',
  writer: 'layercache.io/writer',
  installation: 'layercache.io/installation',
  epoch: 'layercache.io/epoch',
  request: 'layercache.io/request',
  rollout: 'layercache.io/rollout',
  exits: 'layercache.io/exits',
} as const;

export function policyConfigMapName(service: string): string {
  return `${service}-policy`;
}

export function ledgerConfigMapName(service: string): string {
  return `${service}-evidence`;
}

export function adminSecretName(service: string, generation: number): string {
  return `${service}-admin-g${generation}`;
}

export function trainerSecretName(service: string, generation: number): string {
  return `${service}-trainer-g${generation}`;
}

/** Deterministic, so that a lost answer or a new leader never makes a twin. */
export function trainingJobName(service: string, attempt: number): string {
  return `${service}-train-${attempt}`;
}

/** @param digest `sha256:<64 hex>` of the bundle. */
export function headRevisionName(service: string, digest: string): string {
  return `${service}-${digest.slice('sha256:'.length).slice(0, 12)}`;
}

export function trainerPolicyName(service: string): string {
  return `${service}-trainer`;
}

export function trainerAccountName(service: string): string {
  return `${service}-trainer`;
}
