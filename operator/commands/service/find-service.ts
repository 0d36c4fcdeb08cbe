import { nearestNames } from '../../../crds/schema/edit-distance.ts';
import { KIND } from '../../../crds/v1alpha1/cached-model-service.ts';
import { CliError } from '../../errors.ts';
import type { KubeObject } from '../../kube/api.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import { isKindUnknown } from '../cluster/call-error.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { readServiceView } from './read-service-view.ts';
import type { ServiceView } from './service-view.ts';

/** The object, or null when the API server has none of that name. */
export async function findService(cluster: Cluster, name: string): Promise<KubeObject | null> {
  try {
    return await cluster.api.get({ kind: KIND, namespace: cluster.namespace, name });
  } catch (error) {
    if (error instanceof ApiStatusError && error.isNotFound && !isKindUnknown(error)) return null;
    throw error;
  }
}

/** The object; throws `ServiceNotFound` with the nearest names, here or in another namespace. */
export async function getService(cluster: Cluster, name: string): Promise<KubeObject> {
  return (await findService(cluster, name)) ?? (await serviceMissing(cluster, name));
}

/** The same as a view. */
export async function getServiceView(cluster: Cluster, name: string): Promise<ServiceView> {
  return readServiceView(await getService(cluster, name));
}

async function serviceMissing(cluster: Cluster, name: string): Promise<never> {
  const { namespace } = cluster;
  throw new CliError('ServiceNotFound', {
    where: `${namespace}/${name}`,
    why: 'the API server has none of that name.',
    nextStep: await nearestStep(cluster, name),
  });
}

/** Elsewhere by the same name, here by a similar one, or those there are. */
export async function nearestStep(cluster: Cluster, name: string): Promise<string | undefined> {
  const known = await namesOfServices(cluster);
  if (known === null) return undefined;
  const elsewhere = known.find((one) => one.name === name);
  if (elsewhere !== undefined)
    return `There is one in namespace ${elsewhere.namespace}: add -n ${elsewhere.namespace}.`;
  const here = known.filter((one) => one.namespace === cluster.namespace).map((one) => one.name);
  const [near] = nearestNames(name, here);
  if (near !== undefined) return `Did you mean ${near}?`;
  if (here.length > 0) return `Namespace ${cluster.namespace} has ${here.slice(0, 5).join(', ')}.`;
  return `Namespace ${cluster.namespace} has none.`;
}

interface ServiceName {
  readonly name: string;
  readonly namespace: string;
}

/** Of all namespaces, else of this one; null: this user may list neither. */
async function namesOfServices({
  api,
  namespace,
}: Cluster): Promise<readonly ServiceName[] | null> {
  for (const where of [undefined, namespace]) {
    try {
      const { items } = await api.list(KIND, {
        metadataOnly: true,
        ...(where === undefined ? {} : { namespace: where }),
      });
      return items.map(({ metadata }) => ({
        name: metadata.name,
        namespace: metadata.namespace ?? '',
      }));
    } catch (error) {
      if (!(error instanceof ApiStatusError) || !error.isForbidden) return null;
    }
  }
  return null;
}
