import type { TrainerPod } from '../../../fleet/trainer-store.ts';
import type { KubeObject } from '../../../kube/api.ts';
import { controllerOf, isTerminating } from '../../../kube/owner.ts';
import { trainerSecretName, trainingJobName } from '../../../plan/names.ts';

/** The youngest pod of a training's Job, while it runs; null: there is none that can be asked. */
export function toTrainerPod(
  pods: readonly KubeObject[],
  service: string,
  attempt: number,
): TrainerPod | null {
  const jobName = trainingJobName(service, attempt);
  const [youngest] = pods
    .filter((pod) => controllerOf(pod)?.name === jobName && !isTerminating(pod))
    .sort((one, other) => (createdAt(one) > createdAt(other) ? -1 : 1));
  if (youngest === undefined) return null;
  const { phase, podIP } = (youngest.status ?? {}) as PodStatus;
  const adminGeneration = generationOf(youngest, service);
  const { uid, name } = youngest.metadata;
  if (phase !== 'Running' || podIP === undefined) return null;
  if (uid === undefined || adminGeneration === null) return null;
  return { uid, name, ip: podIP, adminGeneration, attempt, role: 'trainer' };
}

interface PodStatus {
  readonly phase?: string;
  readonly podIP?: string;
}

function createdAt({ metadata }: KubeObject): string {
  return metadata.creationTimestamp ?? '';
}

function generationOf({ spec }: KubeObject, service: string): number | null {
  const { volumes = [] } = (spec ?? {}) as { readonly volumes?: readonly unknown[] };
  for (const volume of volumes) {
    const { secret } = volume as { readonly secret?: { readonly secretName?: string } };
    const generation = Number(/-trainer-g(\d+)$/.exec(secret?.secretName ?? '')?.[1]);
    if (secret?.secretName === trainerSecretName(service, generation)) return generation;
  }
  return null;
}
