import type { Service } from 'kubernetes-types/core/v1.js';

import { selectorLabels } from './labels.ts';
import { childMetadata } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

/** The Service that clients call: port 80 to the data port of ready pods. */
export function planService(service: ServiceToPlan): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMetadata(service, service.name),
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(service.name, 'server'),
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http', appProtocol: 'http' }],
    },
  };
}

/** What `status.url` says; resolvable in every cluster domain. */
export function endpointUrl({
  name,
  namespace,
}: Pick<ServiceToPlan, 'name' | 'namespace'>): string {
  return `http://${name}.${namespace}.svc`;
}
