import { ApiStatusError } from '../../kube/api-status-error.ts';
import { getOrNull } from '../../kube/get-or-null.ts';
import { parseLedger } from '../../lifecycle/ledger.ts';
import { storedLedger } from '../../plan/ledger-config-map.ts';
import { ledgerConfigMapName } from '../../plan/names.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { LedgerView } from './service-view.ts';

/** What the operator remembers of a service. Whoever may not read it still learns what the status says. */
export async function readLedgerView(cluster: Cluster, name: string): Promise<LedgerView> {
  const configMap = ledgerConfigMapName(name);
  const ref = { kind: 'ConfigMap', namespace: cluster.namespace, name: configMap } as const;
  try {
    const text = storedLedger(await getOrNull(cluster.api, ref));
    return text === null
      ? none(`ConfigMap ${configMap} does not exist yet`)
      : parse(text, configMap);
  } catch (error) {
    if (!(error instanceof ApiStatusError) || !error.isForbidden) throw error;
    return none(`this user may not read ConfigMap ${configMap}`);
  }
}

function parse(text: string, configMap: string): LedgerView {
  const parsed = parseLedger(text);
  if (parsed.ok) return { ledger: parsed.value, problem: null };
  return none(`ConfigMap ${configMap} is of another version than this program`);
}

function none(problem: string): LedgerView {
  return { ledger: null, problem };
}
