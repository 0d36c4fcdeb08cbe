import type { Result } from '../crds/wire/result.ts';
import type { Clock } from './clock.ts';
import type { AdminAnswer, AdminCall } from './fleet/admin-client.ts';
import type { PodConnections } from './fleet/pod-connections.ts';
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

/** The same ways to pods, with every pull of evidence counted. */
export function meterConnections(
  connections: PodConnections,
  metrics: Pick<OperatorMetrics, 'evidencePulled'>,
  clock: Clock,
): PodConnections {
  return {
    open: (serviceUid, pod) => {
      const client = connections.open(serviceUid, pod);
      return {
        ...client,
        call: async (call) => {
          const startMs = clock.monotonicMs();
          const answer = await client.call(call);
          if (isPull(call)) {
            metrics.evidencePulled(resultOf(answer), (clock.monotonicMs() - startMs) / 1000);
          }
          return answer;
        },
      };
    },
  };
}

function isPull({ method, path }: AdminCall): boolean {
  return method === 'GET' && path.startsWith('/v1/evidence');
}

function resultOf(answer: Result<AdminAnswer>): 'ok' | 'refused' | 'no_answer' {
  if (!answer.ok) return 'no_answer';
  return answer.value.status === 200 ? 'ok' : 'refused';
}
