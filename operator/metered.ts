import type { Api } from './kube/api.ts';
import type { ClusterAccess } from './kube/cluster-access.ts';
import { interceptApi } from './kube/intercept-api.ts';
import type { OperatorMetrics } from './operator-metrics.ts';

/** The same way to the API server, with each answer counted. */
export function meterAccess(
  access: ClusterAccess,
  metrics: Pick<OperatorMetrics, 'apiAnswered'>,
): ClusterAccess {
  const { host } = new URL(access.server);
  return {
    ...access,
    answered: (method, status) => {
      metrics.apiAnswered(host, method, status);
    },
  };
}

/** The same API, with each write counted by kind. */
export function meterApi(api: Api, metrics: Pick<OperatorMetrics, 'callEnded'>): Api {
  return interceptApi(api, {
    after: (call, error) => {
      metrics.callEnded(call, error);
    },
  });
}
