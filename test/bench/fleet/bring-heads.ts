import { createHash } from 'node:crypto';
import { mergePatch, post, servicePath, type FleetCluster } from './fleet-cluster.ts';
import { fleetHeads } from './fleet-objects.ts';
import { simulatedBundle } from './simulated-heads.ts';

/** Gives every service heads of its own that it has to take; `mark` tells one set from the next. Resolves with their digest. */
export async function bringHeads(
  cluster: Pick<FleetCluster, 'services' | 'all'>,
  mark: number,
): Promise<string> {
  const bytes = simulatedBundle(mark);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const brought = cluster.services.map((one) => ({
    one,
    ...fleetHeads(one, { mark, bytes, digest }),
  }));
  await cluster.all(
    brought.map(({ one, configMap }) =>
      post(`/api/v1/namespaces/${one.namespace}/configmaps`, configMap),
    ),
  );
  await cluster.all(
    brought.map(({ one, headRevision }) =>
      post(
        `/apis/layercache.io/v1alpha1/namespaces/${one.namespace}/cacheheadrevisions`,
        headRevision,
      ),
    ),
  );
  await cluster.all(
    brought.map(({ one, revision }) =>
      mergePatch(servicePath(one), { spec: { heads: { revision } } }),
    ),
  );
  return digest;
}
