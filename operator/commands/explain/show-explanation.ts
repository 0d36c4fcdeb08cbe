import { CliError } from '../../errors.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Rendered } from '../output/output-format.ts';
import type { Paint } from '../output/paint.ts';
import { findService, nearestStep } from '../service/find-service.ts';
import { readLedgerView } from '../service/read-ledger-view.ts';
import { readPodTraffic } from '../service/read-pod-traffic.ts';
import { readRevisions } from '../service/read-revisions.ts';
import { readServiceView } from '../service/read-service-view.ts';
import { explainService } from './explain-service.ts';
import { renderExplanation } from './render-explanation.ts';

/** `layercache explain NAME` of a service. */
export async function showExplanation(
  cluster: Cluster,
  name: string,
  paint: Paint,
): Promise<Rendered> {
  const object = (await findService(cluster, name)) ?? (await nothingFound(cluster, name));
  return explainObject(cluster, object, paint);
}

async function explainObject(
  cluster: Cluster,
  object: KubeObject,
  paint: Paint,
): Promise<Rendered> {
  const { name } = object.metadata;
  const service = readServiceView(object);
  const [ledger, revisions] = await Promise.all([
    readLedgerView(cluster, name),
    readRevisions(cluster, name),
  ]);
  const isMeasured = (ledger.ledger?.traffic.rowsPerSecond ?? null) !== null;
  const isCollecting = (ledger.ledger?.stage ?? 'Collecting') === 'Collecting';
  const pods = isMeasured && !isCollecting ? null : await readPodTraffic(cluster, name);
  const nowMs = cluster.clock.nowMs();
  const explanation = explainService({ service, ledger, revisions, pods, nowMs });
  return {
    document: { kind: 'Explanation', ...explanation },
    table: () => renderExplanation(explanation, nowMs, paint),
    names: [`cachedmodelservice.layercache.io/${name}`],
  };
}

/** Lower case, so that it is no reason either. */
async function nothingFound(cluster: Cluster, name: string): Promise<never> {
  throw new CliError('ReasonNotFound', {
    where: name,
    why: `namespace ${cluster.namespace} has no service of that name.`,
    nextStep: await nearestStep(cluster, name),
  });
}
