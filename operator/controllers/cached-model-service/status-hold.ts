import { isReadyPod } from './decide-policy.ts';
import type { ServicePass } from './service-pass.ts';

/** Ten thousand pods are asked in half of it by an operator with a core. */
const LONGEST_MS = 60_000;

/**
 * How long the status has to wait since this process has begun and has not heard of all pods: what an earlier process told of them
 * holds meanwhile, so a fleet that is well costs a restarted operator no write, even if a ready pod misses its first call. 0: it
 * is free, for ever.
 */
export function statusHoldMs({ shell, memory, gathered }: ServicePass): number {
  const { previous, object, key, pods, monotonicMs } = gathered;
  memory.statusHeldUntilMs ??= monotonicMs + LONGEST_MS;
  const isOfThisSpec = previous.observedGeneration === object.metadata.generation;
  const ready = new Set(pods.filter(isReadyPod).map(({ metadata }) => metadata.uid));
  const isAwaited = shell.fleet
    .pods(key)
    .some(({ pod, state, problem }) => state === null && (problem === null || ready.has(pod.uid)));
  if (!isOfThisSpec || !isAwaited) memory.statusHeldUntilMs = -Infinity;
  return Math.max(0, memory.statusHeldUntilMs - monotonicMs);
}
