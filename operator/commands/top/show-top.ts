import { KIND } from '../../../crds/v1alpha1/cached-model-service.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import type { KubeObject } from '../../kube/api.ts';
import { parseLedger } from '../../lifecycle/ledger.ts';
import { storedLedger } from '../../plan/ledger-config-map.ts';
import { ledgerConfigMapName } from '../../plan/names.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Rendered } from '../output/output-format.ts';
import { readServiceView } from '../service/read-service-view.ts';
import { renderTop, toTopRow } from './top-rows.ts';

/** `layercache top`: one line for each service; traffic as the operator measured it. */
export async function showTop(cluster: Cluster): Promise<Rendered> {
  const { api, listNamespace } = cluster;
  const where = listNamespace === undefined ? {} : { namespace: listNamespace };
  const [{ items }, rates] = await Promise.all([api.list(KIND, where), readRates(cluster)]);
  const rows = items.map(readServiceView).map((service) => {
    const key = `${service.namespace}/${ledgerConfigMapName(service.name)}`;
    return toTopRow(service, rates.get(key) ?? null);
  });
  return {
    document: { kind: 'Top', services: rows },
    table: (wide) => renderTop(rows, wide, listNamespace === undefined),
    names: rows.map(({ name }) => `cachedmodelservice.layercache.io/${name}`),
  };
}

/** Rows a second by ledger; empty for whoever may not list ConfigMaps. */
async function readRates({ api, listNamespace }: Cluster): Promise<ReadonlyMap<string, number>> {
  try {
    const { items } = await api.list('ConfigMap', {
      labelSelector: 'layercache.io/role=ledger',
      pageSize: 20,
      ...(listNamespace === undefined ? {} : { namespace: listNamespace }),
    });
    return new Map(items.flatMap(rateOf));
  } catch (error) {
    if (error instanceof ApiStatusError && error.isForbidden) return new Map();
    throw error;
  }
}

function rateOf(object: KubeObject): (readonly [string, number])[] {
  const text = storedLedger(object);
  const parsed = text === null ? null : parseLedger(text);
  const rate = parsed?.ok === true ? parsed.value.traffic.rowsPerSecond : null;
  const { namespace = '', name } = object.metadata;
  return rate === null ? [] : [[`${namespace}/${name}`, rate]];
}
