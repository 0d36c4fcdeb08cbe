// Plays a metrics adapter: the API server asks it for external metrics on behalf of the real autoscaler, as it asks a real one.
import type { ControlPlane } from '../../support/control-plane.ts';
import { startModelHost } from '../../support/model-host.ts';

export interface MetricsAdapter {
  /** Of every metric; null: it fails. */
  value: number | null;
  close(): Promise<void>;
}

const GROUP = 'external.metrics.k8s.io';
const GROUP_VERSION = `${GROUP}/v1beta1`;
const API_SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const API_SERVICE = `v1beta1.${GROUP}`;

/** Registers it in the API server, by a Service of this namespace that leads back to this machine. */
export async function startMetricsAdapter(
  { request }: Pick<ControlPlane, 'request'>,
  namespace: string,
): Promise<MetricsAdapter> {
  const adapter = { value: null as number | null };
  const host = await startModelHost(({ url = '' }, response) => {
    const [path = ''] = url.split('?');
    const answer = answerOf(path, adapter.value);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  });
  const create = async (path: string, body: object): Promise<void> => {
    const { status, body: answer } = await request({ method: 'POST', path, body });
    if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
  };
  await create(`/api/v1/namespaces/${namespace}/services`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'metrics-adapter' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  });
  await create(API_SERVICES, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: API_SERVICE },
    spec: {
      ...{ group: GROUP, version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100 },
      insecureSkipTLSVerify: true,
      service: { namespace, name: 'metrics-adapter', port: host.port },
    },
  });
  return Object.assign(adapter, {
    close: async () => {
      await request({ method: 'DELETE', path: `${API_SERVICES}/${API_SERVICE}` });
      await host.close();
    },
  });
}

function answerOf(
  path: string,
  value: number | null,
): { readonly status: number; readonly body: object } {
  if (path === `/apis/${GROUP_VERSION}`) {
    const list = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: GROUP_VERSION };
    return { status: 200, body: { ...list, resources: [] } };
  }
  const [, metricName] = /\/namespaces\/[^/]+\/([^/]+)$/.exec(path) ?? [];
  if (metricName === undefined || value === null) {
    const message = metricName === undefined ? 'there is nothing' : 'the adapter has no figures';
    const status = { apiVersion: 'v1', kind: 'Status', status: 'Failure', message };
    return { status: 404, body: { ...status, reason: 'NotFound', code: 404 } };
  }
  const item = { metricName, metricLabels: {}, value: `${value}`, timestamp: TIME };
  const list = { kind: 'ExternalMetricValueList', apiVersion: GROUP_VERSION, metadata: {} };
  return { status: 200, body: { ...list, items: [item] } };
}

/** When a figure was taken is of no consequence to the autoscaler. */
const TIME = '2026-11-25T10:00:00Z';
