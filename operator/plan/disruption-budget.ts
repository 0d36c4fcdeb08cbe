import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from 'kubernetes-types/policy/v1.js';

import { selectorLabels } from './labels.ts';
import { childMetadata } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

/** A budget for evictions; null for a single pod, whose node could then never be drained. */
export function planPodDisruptionBudget(service: ServiceToPlan): PodDisruptionBudget | null {
  const { podDisruptionBudget, autoscaling, replicas } = service.spec;
  const count = autoscaling?.minReplicas ?? replicas;
  if (podDisruptionBudget.mode === 'Disabled' || count <= 1) return null;
  const { minAvailable, maxUnavailable } = podDisruptionBudget;
  const limit: PodDisruptionBudgetSpec =
    minAvailable === undefined ? { maxUnavailable: maxUnavailable ?? 1 } : { minAvailable };
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMetadata(service, service.name),
    spec: {
      selector: { matchLabels: selectorLabels(service.name, 'server') },
      // A pod that is not ready serves nobody: it must not keep a node from being drained.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      ...limit,
    },
  };
}
