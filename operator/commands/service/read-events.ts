import { statusErrorOf } from '../../kube/read-status.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { EventView } from './service-view.ts';

/** As the core group shows it: ClusterRole view may read events there, and not those of events.k8s.io. */
interface CoreEvent {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number | null;
  readonly eventTime?: string | null;
  readonly lastTimestamp?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string } | null;
}

/** Events of a service, newest first; null: this user may not read them. */
export async function readEvents(
  cluster: Cluster,
  name: string,
): Promise<readonly EventView[] | null> {
  const fields = `involvedObject.kind=CachedModelService,involvedObject.name=${name}`;
  const items = await readCoreEvents(cluster, fields);
  return items === null ? null : items.map(toEventView).sort((a, b) => timeOf(b) - timeOf(a));
}

/** Of a namespace, as they are stored; null: this user may not read them. */
export async function readCoreEvents(
  cluster: Cluster,
  fieldSelector: string,
): Promise<readonly CoreEvent[] | null> {
  const path = `/api/v1/namespaces/${cluster.namespace}/events`;
  const query = fieldSelector === '' ? '' : `?fieldSelector=${encodeURIComponent(fieldSelector)}`;
  const { status, text } = await cluster.raw('GET', `${path}${query}`);
  if (status === 403) return null;
  if (status !== 200) {
    throw statusErrorOf(`list events ${cluster.namespace}`, {
      status,
      text,
      retryAfter: undefined,
    });
  }
  return (JSON.parse(text) as { readonly items?: readonly CoreEvent[] }).items ?? [];
}

function toEventView(event: CoreEvent): EventView {
  const { type = 'Normal', reason = '', message = '', series } = event;
  return {
    type,
    reason,
    note: message,
    time: whenOf(event),
    count: series?.count ?? event.count ?? 1,
  };
}

/** Of a series the last one. */
function whenOf({ eventTime, lastTimestamp, series }: CoreEvent): string | undefined {
  return series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? undefined;
}

function timeOf({ time }: EventView): number {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? 0 : ms;
}
