import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { limitConcurrency } from '../../../operator/fleet/limit-concurrency.ts';
import { startCluster, type Cluster } from '../../cluster/harness/cluster.ts';
import type { ApiCall } from '../../cluster/harness/api-request.ts';
import { eventually } from '../../support/eventually.ts';
import {
  fleetNodes,
  fleetServices,
  namespacesOf,
  type FleetSize,
  type ServiceRef,
} from './fleet-objects.ts';

/** A control plane with kwok, our definitions, and nodes for a fleet. */
export interface FleetCluster {
  readonly cluster: Cluster;
  readonly kubeconfigPath: string;
  readonly services: readonly ServiceRef[];
  /** Many calls, a few at a time; throws on an answer of 300 and above. */
  all(calls: readonly ApiCall[]): Promise<void>;
}

export const OPERATOR_NAMESPACE = 'layercache';
const CALLS_AT_ONCE = 8;
/** Of eleven blocks of twenty, so that a second benchmark on the machine hardly ever has the same. */
const FIRST_NETWORK = 16 + 20 * (process.pid % 11);
const DEFINITIONS = 'crds';

export async function startFleetCluster(size: FleetSize): Promise<FleetCluster> {
  const cluster = await startCluster({
    parts: ['etcd', 'apiserver', 'controller-manager', 'scheduler', 'kwok'],
    // An EndpointSlice refuses addresses of this machine, and nobody here asks a Service.
    controllerManagerFlags: [
      '--controllers=*,-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller',
    ],
  });
  const limit = limitConcurrency(CALLS_AT_ONCE);
  const all = async (calls: readonly ApiCall[]): Promise<void> => {
    const answers = calls.map((call) =>
      limit(async () => {
        const { status, body } = await cluster.request(call);
        if (status >= 300) {
          throw new Error(
            `${call.method ?? 'GET'} ${call.path} answered ${status}: ${JSON.stringify(body)}`,
          );
        }
      }),
    );
    await Promise.all(answers);
  };
  const services = fleetServices(size);
  try {
    await all(definitions().map((body) => post(DEFINITIONS_PATH, body)));
    await eventually(async () => {
      const { status } = await cluster.request({
        path: '/apis/layercache.io/v1alpha1/cachedmodelservices',
      });
      if (status !== 200) throw new Error(`the definitions are not served: ${status}`);
    }, 30_000);
    await all(fleetNodes(size, FIRST_NETWORK).map((body) => post('/api/v1/nodes', body)));
    const namespaces = [OPERATOR_NAMESPACE, ...namespacesOf(services)].map((name) => ({
      ...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    }));
    await all(namespaces.map((body) => post('/api/v1/namespaces', body)));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return {
    cluster,
    kubeconfigPath: join(cluster.facts.folder, 'keys', 'admin.kubeconfig'),
    services,
    all,
  };
}

const DEFINITIONS_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

function definitions(): object[] {
  return readdirSync(DEFINITIONS)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => parseAllDocuments(readFileSync(join(DEFINITIONS, name), 'utf8')))
    .map((document) => document.toJS() as { readonly kind?: string })
    .filter(({ kind }) => kind === 'CustomResourceDefinition');
}

export function post(path: string, body: object): ApiCall {
  return { method: 'POST', path, body };
}

export function mergePatch(path: string, body: object): ApiCall {
  return { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' };
}

export function servicePath({ namespace, name }: ServiceRef): string {
  return `${servicesPath(namespace)}/${name}`;
}

export function servicesPath(namespace: string): string {
  return `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices`;
}
