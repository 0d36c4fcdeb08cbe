import { ledgerConfigMapName } from '../../plan/names.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { explainService } from '../explain/explain-service.ts';
import type { Rendered } from '../output/output-format.ts';
import { getServiceView } from '../service/find-service.ts';
import { readLedgerView } from '../service/read-ledger-view.ts';
import { evidenceGrids } from './evidence-grid.ts';
import { renderEvidence } from './render-evidence.ts';

/** `layercache evidence NAME`: what all pods' audits say together. */
export async function showEvidence(cluster: Cluster, name: string): Promise<Rendered> {
  const service = await getServiceView(cluster, name);
  const view = await readLedgerView(cluster, name);
  const nowMs = cluster.clock.nowMs();
  const grids = view.ledger === null ? [] : evidenceGrids(view.ledger);
  const facts = { service, ledger: view, revisions: [], pods: null, nowMs };
  const { missing, unseen } = explainService(facts);
  return {
    document: {
      kind: 'Evidence',
      name,
      namespace: cluster.namespace,
      tracks: grids,
      missing,
      unseen,
    },
    table: (wide) => renderEvidence(grids, { missing, unseen }, wide),
    names: [`configmap/${ledgerConfigMapName(name)}`],
  };
}
