import type { ServerLifecycle } from '../../lifecycle.ts';
import type { DataPath, DataRoute } from '../data-routes.ts';
import { respondJson } from '../respond.ts';

type HealthPath = Extract<DataPath, '/' | '/v2' | '/v2/health/live' | '/v2/health/ready'>;

/** The server as a whole. Bodies are for clients that read them (KServe's does); the status says the same. */
export function healthHandlers(dependencies: {
  readonly version: string;
  readonly lifecycle: ServerLifecycle;
}): Readonly<Record<HealthPath, DataRoute>> {
  const { lifecycle } = dependencies;
  const metadata = JSON.stringify({
    name: 'layercache',
    version: dependencies.version,
    extensions: ['binary_tensor_data'],
  });
  return {
    '/': {
      method: 'get',
      handler: (_, response) => {
        respondJson(response, 200, '{"status":"alive"}');
      },
    },
    '/v2': {
      method: 'get',
      handler: (_, response) => {
        respondJson(response, 200, metadata);
      },
    },
    '/v2/health/live': {
      method: 'get',
      handler: (_, response) => {
        respondJson(response, 200, '{"live":true}');
      },
    },
    '/v2/health/ready': {
      method: 'get',
      handler: (_, response) => {
        const ready = lifecycle.isReady();
        respondJson(response, ready ? 200 : 503, JSON.stringify({ ready }));
      },
    },
  };
}
