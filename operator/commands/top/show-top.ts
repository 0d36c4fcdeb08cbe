import { KIND } from '../../../crds/v1alpha1/cached-model-service.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Rendered } from '../output/output-format.ts';
import { readLedgers } from '../service/read-ledgers.ts';
import { readServiceView } from '../service/read-service-view.ts';
import { renderTop, toTopRow } from './top-rows.ts';

/** `layercache top`: one line for each service; traffic as the operator measured it. */
export async function showTop(cluster: Cluster): Promise<Rendered> {
  const { api, listNamespace } = cluster;
  const where = listNamespace === undefined ? {} : { namespace: listNamespace };
  const [{ items }, ledgerOf] = await Promise.all([api.list(KIND, where), readLedgers(cluster)]);
  const rows = items
    .map(readServiceView)
    .map((service) => toTopRow(service, ledgerOf(service)?.traffic.rowsPerSecond ?? null));
  return {
    document: { kind: 'Top', services: rows },
    table: (wide) => renderTop(rows, wide, listNamespace === undefined),
    names: rows.map(({ name }) => `cachedmodelservice.layercache.io/${name}`),
  };
}
