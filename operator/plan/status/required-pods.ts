import type { DeploymentFacts, StatusFacts } from './facts.ts';

/**
 * How many pods must be available: what a roll may take away is allowed for, but never all. With an autoscaler its lower
 * bound counts, so that scaling up is no trouble.
 */
export function requiredPods(
  { spec }: Pick<StatusFacts, 'spec'>,
  deployment: DeploymentFacts,
): number {
  const { wantedReplicas, maxUnavailable } = deployment;
  const minimum = Math.min(spec?.autoscaling?.minReplicas ?? wantedReplicas, wantedReplicas);
  return Math.max(1, minimum - resolve(maxUnavailable, minimum));
}

/** `25%` of the count, rounded down as the Deployment controller does. */
function resolve(amount: number | string, count: number): number {
  if (typeof amount === 'number') return amount;
  return Math.floor((Number.parseInt(amount, 10) * count) / 100);
}
