import type { PodView } from '../../fleet/fleet-pod.ts';
import type { ServicePass } from './service-pass.ts';

/** Ten thousand pods are asked in half of it by an operator with a quarter of a core. */
const LONGEST_MS = 60_000;

/**
 * How long the status has to wait since this process began and has not asked each pod once: what an earlier process told of them
 * holds meanwhile, and a fleet that is well costs a restarted operator no write. 0: it is free, for ever.
 */
export function statusHoldMs({ shell, memory, gathered }: ServicePass): number {
  const { previous, object, key, monotonicMs } = gathered;
  memory.statusHeldUntilMs ??= monotonicMs + LONGEST_MS;
  const isOfThisSpec = previous.observedGeneration === object.metadata.generation;
  if (!isOfThisSpec || !shell.fleet.pods(key).some(isUnasked)) memory.statusHeldUntilMs = -Infinity;
  return Math.max(0, memory.statusHeldUntilMs - monotonicMs);
}

function isUnasked({ state, problem }: PodView): boolean {
  return state === null && problem === null;
}
