/** Names of the children of a service (api.md 6): all at most 63 characters while the service's is at most 40. */

export const FIELD_MANAGER = 'layercache-operator';

export const ANNOTATIONS = {
  templateInputs: 'layercache.io/template-inputs',
  writer: 'layercache.io/writer',
  installation: 'layercache.io/installation',
  epoch: 'layercache.io/epoch',
  request: 'layercache.io/request',
} as const;

export function policyConfigMapName(service: string): string {
  return `${service}-policy`;
}

export function adminSecretName(service: string, generation: number): string {
  return `${service}-admin-g${generation}`;
}

export function trainerSecretName(service: string, generation: number): string {
  return `${service}-trainer-g${generation}`;
}

export function trainerAccountName(service: string): string {
  return `${service}-trainer`;
}
