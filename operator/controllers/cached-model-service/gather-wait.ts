import type { FleetChange } from '../../fleet/fleet-store.ts';

const LEAST_MS: Readonly<Record<FleetChange, number>> = { Figures: 500, Pod: 100 };
/** A pass looks at every pod, 0.07 ms each (measured): so many of them together take a seventh of a core at most. */
const PER_POD_MS = 0.5;

/**
 * How long a pass waits after a pod has said something, in milliseconds. Pods of a service are polled and pushed to together and
 * answer one after the other: one pass takes what many of them said. Without the wait each of a thousand acknowledgements would
 * ask for a pass over a thousand pods.
 * @param pods of the service; 0 before any is followed
 */
export function gatherWaitMs(change: FleetChange, pods: number): number {
  return LEAST_MS[change] + PER_POD_MS * pods;
}
