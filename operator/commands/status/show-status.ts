import type { Cluster } from '../cluster/cluster.ts';
import type { Rendered } from '../output/output-format.ts';
import type { Paint } from '../output/paint.ts';
import { getService } from '../service/find-service.ts';
import { readEvents } from '../service/read-events.ts';
import { readServiceView } from '../service/read-service-view.ts';
import { renderStatus } from './render-status.ts';
import { statusDocument } from './status-document.ts';

/** `layercache status NAME`. */
export async function showStatus(cluster: Cluster, name: string, paint: Paint): Promise<Rendered> {
  const [object, events] = await Promise.all([
    getService(cluster, name),
    readEvents(cluster, name),
  ]);
  const service = readServiceView(object);
  const facts = { service, events, nowMs: cluster.clock.nowMs() };
  return {
    document: statusDocument(facts),
    table: (wide) => renderStatus(facts, paint, wide),
    names: [`cachedmodelservice.layercache.io/${name}`],
  };
}
