import type { KubeObject } from '../../../kube/api.ts';
import { controllerOf } from '../../../kube/owner.ts';
import { readPod } from '../../../plan/status/read-pod.ts';

/**
 * How the last pod of a training's Job ended, as one sentence: a Job says only that its limit was reached, and a trainer that
 * was killed writes no last words. Null: no pod is left that ended badly.
 */
export function describeTrainerEnd(pods: readonly KubeObject[], jobName: string): string | null {
  const [last] = pods
    .filter((pod) => controllerOf(pod)?.name === jobName)
    .flatMap((pod) => {
      const { name, lastEnd } = readPod(pod, null);
      return lastEnd === null ? [] : [{ name, ...lastEnd }];
    })
    .sort((one, other) => other.timeMs - one.timeMs);
  if (last === undefined) return null;
  const { name, container, reason, exitCode } = last;
  return reason === 'OOMKilled'
    ? `Pod ${name}: container ${container} was killed for memory (OOMKilled); raise the memory limit in spec.heads.training.resources.`
    : `Pod ${name} ended with exit code ${exitCode} (${reason}).`;
}
