import { API_VERSION, KIND } from '../../../crds/v1alpha1/cached-model-service.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { Ledger } from '../../lifecycle/ledger.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { readLedgers } from '../service/read-ledgers.ts';
import { readServiceView } from '../service/read-service-view.ts';
import type { ServiceView } from '../service/service-view.ts';
import type { NodeClock } from './check-clocks.ts';
import { ownDefinitions, type LiveDefinition } from './check-definitions.ts';
import type { MonitoringFacts } from './check-monitoring.ts';
import type { OperatorFacts } from './check-operator.ts';
import { WANTED_RIGHTS, type WantedRight } from './check-rights.ts';
import { leaseOf, leaseOfOperator } from './operator-lease.ts';

const PART_OF = 'app.kubernetes.io/part-of=layercache';

export async function readServerVersion(
  cluster: Cluster,
): Promise<{ readonly version: string; readonly serverMs: number | null }> {
  const { text, serverMs } = await cluster.raw('GET', '/version');
  const { gitVersion } = parse(text) as { readonly gitVersion?: string };
  return { version: gitVersion ?? 'unknown', serverMs };
}

export async function readDefinitions(
  cluster: Cluster,
): Promise<readonly (readonly [string, LiveDefinition])[]> {
  return Promise.all(
    Object.keys(ownDefinitions()).map(async (name) => {
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
      const { status, text } = await cluster.raw('GET', path);
      if (status === 200) return [name, parse(text) as LiveDefinition] as const;
      const isServed = status === 403 && (await isKindServed(cluster, name));
      return [name, isServed ? 'Forbidden' : null] as const;
    }),
  );
}

/** Discovery is open to every user. */
async function isKindServed(cluster: Cluster, definition: string): Promise<boolean> {
  const { status, text } = await cluster.raw('GET', `/apis/${API_VERSION}`);
  if (status !== 200) return false;
  const { resources = [] } = parse(text) as {
    readonly resources?: readonly { readonly name: string }[];
  };
  return resources.some(({ name }) => definition.startsWith(`${name}.`));
}

export async function askRights(
  cluster: Cluster,
): Promise<readonly { readonly right: WantedRight; readonly isAllowed: boolean }[]> {
  return Promise.all(
    WANTED_RIGHTS.map(async (right) => {
      const { verb, group, resource, subresource } = right;
      const attributes = { namespace: cluster.namespace, verb, group, resource, subresource };
      const { text } = await cluster.raw(
        'POST',
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: attributes },
        },
      );
      const { status } = parse(text) as { readonly status?: { readonly allowed?: boolean } };
      return { right, isAllowed: status?.allowed === true };
    }),
  );
}

/** Null: this user may not list Deployments everywhere. */
export async function findOperators(cluster: Cluster): Promise<readonly OperatorFacts[] | null> {
  const deployments = await listOrNull(() =>
    cluster.api.list('Deployment', { labelSelector: PART_OF }),
  );
  if (deployments === null) return null;
  return Promise.all(deployments.map((one) => operatorOf(cluster, one)));
}

async function operatorOf(
  cluster: Cluster,
  { metadata, status }: KubeObject,
): Promise<OperatorFacts> {
  const { name, namespace = '', labels = {} } = metadata;
  const { readyReplicas } = (status ?? {}) as { readonly readyReplicas?: number };
  const leases = await listOrNull(() => cluster.api.list('Lease', { namespace }));
  const lease = leaseOfOperator(
    leases ?? [],
    `${labels['app.kubernetes.io/instance'] ?? ''}-operator`,
  );
  return {
    namespace,
    name,
    readyReplicas: readyReplicas ?? 0,
    version: labels['app.kubernetes.io/version'] ?? null,
    ...leaseOf(lease),
  };
}

/** Null: this user may not list the Leases of kubelets. */
export async function readNodeClocks(cluster: Cluster): Promise<readonly NodeClock[] | null> {
  const leases = await listOrNull(() =>
    cluster.api.list('Lease', { namespace: 'kube-node-lease' }),
  );
  return (
    leases?.flatMap((lease) => {
      const { renewedMs } = leaseOf(lease);
      return renewedMs === null ? [] : [{ node: lease.metadata.name, renewedMs }];
    }) ?? null
  );
}

export async function readMonitoring(cluster: Cluster): Promise<MonitoringFacts> {
  const group = '/apis/monitoring.coreos.com/v1';
  const { status } = await cluster.raw('GET', group);
  if (status !== 200) return { isServed: false, podMonitors: null, rules: null };
  const countOf = async (plural: string): Promise<number | null> => {
    const answer = await cluster.raw(
      'GET',
      `${group}/${plural}?labelSelector=${encodeURIComponent(PART_OF)}`,
    );
    if (answer.status !== 200) return null;
    return (parse(answer.text) as { readonly items?: readonly unknown[] }).items?.length ?? 0;
  };
  return {
    isServed: true,
    podMonitors: await countOf('podmonitors'),
    rules: await countOf('prometheusrules'),
  };
}

/** Null: the kind is not served, or this user may not list it. */
export async function readServices(
  cluster: Cluster,
): Promise<readonly (readonly [ServiceView, Ledger | null])[] | null> {
  const where = cluster.listNamespace === undefined ? {} : { namespace: cluster.listNamespace };
  const services = await listOrNull(() => cluster.api.list(KIND, where));
  if (services === null) return null;
  const ledgerOf = await readLedgers(cluster);
  return services.map(readServiceView).map((service) => [service, ledgerOf(service)] as const);
}

async function listOrNull(
  list: () => Promise<{ readonly items: readonly KubeObject[] }>,
): Promise<readonly KubeObject[] | null> {
  try {
    return (await list()).items;
  } catch (error) {
    if (error instanceof ApiStatusError && (error.isForbidden || error.isNotFound)) return null;
    throw error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return {};
  }
}
