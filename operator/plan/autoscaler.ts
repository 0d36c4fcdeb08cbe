import type { HorizontalPodAutoscaler, MetricSpec } from 'kubernetes-types/autoscaling/v2.js';

import { compact } from './compact.ts';
import { childMetadata } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

const CPU_AT_70: MetricSpec[] = [
  {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
  },
];

/** The autoscaler of a service that has `autoscaling`, metrics and behaviour as written; null without. */
export function planHorizontalPodAutoscaler(
  service: ServiceToPlan,
): HorizontalPodAutoscaler | null {
  const { autoscaling } = service.spec;
  if (autoscaling === undefined) return null;
  const { minReplicas, maxReplicas, metrics, behavior } = autoscaling;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: childMetadata(service, service.name),
    spec: compact<NonNullable<HorizontalPodAutoscaler['spec']>>({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: service.name },
      minReplicas,
      maxReplicas,
      // Raw in our schema; the API server checks them.
      metrics: (metrics as unknown as MetricSpec[] | undefined) ?? CPU_AT_70,
      behavior,
    }),
  };
}
