import type { KubeObject } from '../../kube/api.ts';
import { adminSecretName } from '../../plan/names.ts';

/** Generation of the admin keys that a pod mounts, by the Secret of its volume; null: none of this service. */
export function adminGenerationOf(pod: KubeObject, serviceName: string): number | null {
  const { volumes } = (pod.spec ?? {}) as { readonly volumes?: unknown };
  if (!Array.isArray(volumes)) return null;
  for (const volume of volumes as readonly unknown[]) {
    const { secret } = volume as { readonly secret?: { readonly secretName?: unknown } };
    const generation = Number(/-admin-g(\d+)$/.exec(String(secret?.secretName))?.[1]);
    if (secret?.secretName === adminSecretName(serviceName, generation)) return generation;
  }
  return null;
}
