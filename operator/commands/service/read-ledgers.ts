import { ApiStatusError } from '../../kube/api-status-error.ts';
import { keyOf } from '../../kube/api.ts';
import { parseLedger, type Ledger } from '../../lifecycle/ledger.ts';
import { storedLedger } from '../../plan/ledger-config-map.ts';
import { ledgerConfigMapName } from '../../plan/names.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ServiceView } from './service-view.ts';

/** The ledger of a service; null: there is none, or it is of another version. Read when it is asked for: ledgers are large. */
export type LedgerOf = (service: Pick<ServiceView, 'name' | 'namespace'>) => Ledger | null;

/** Ledgers of all that the flags cover; none for whoever may not list ConfigMaps. */
export async function readLedgers({ api, listNamespace }: Cluster): Promise<LedgerOf> {
  try {
    const { items } = await api.list('ConfigMap', {
      labelSelector: 'layercache.io/role=ledger',
      pageSize: 20,
      ...(listNamespace === undefined ? {} : { namespace: listNamespace }),
    });
    const byKey = new Map(items.map((object) => [keyOf(object), object]));
    return ({ name, namespace }) => {
      const text = storedLedger(byKey.get(`${namespace}/${ledgerConfigMapName(name)}`) ?? null);
      const parsed = text === null ? null : parseLedger(text);
      return parsed?.ok === true ? parsed.value : null;
    };
  } catch (error) {
    if (error instanceof ApiStatusError && error.isForbidden) return () => null;
    throw error;
  }
}
