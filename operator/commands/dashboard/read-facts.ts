import type { Policy } from '../../../crds/wire/policy.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import { getOrNull } from '../../kube/get-or-null.ts';
import { policyConfigMapName } from '../../plan/names.ts';
import { storedPolicy } from '../../plan/policy-config-map.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { findService } from '../service/find-service.ts';
import { readEvents } from '../service/read-events.ts';
import { readLedgerView } from '../service/read-ledger-view.ts';
import { readServiceView } from '../service/read-service-view.ts';
import type { EventView, LedgerView, ServiceView } from '../service/service-view.ts';
import type { DashboardFacts } from './dashboard-facts.ts';
import { createFleetReader, listPods, type PodList } from './read-fleet.ts';

/** Reads a service again and again. */
export interface FactsReader {
  /** Null: there is no such service. Throws what the API server refuses, but for parts that others can do without. */
  read(): Promise<DashboardFacts | null>;
}

/** What changes by the minute, or is large, is read this rarely; the service and its pods each time. */
const SLOW_MS = 10_000;

interface SlowFacts {
  readonly readMs: number;
  readonly ledger: LedgerView;
  readonly events: readonly EventView[] | null;
  readonly pods: PodList;
}

export function createFactsReader(cluster: Cluster, name: string, ended: AbortSignal): FactsReader {
  const fleet = createFleetReader(cluster, ended);
  let slow: SlowFacts | null = null;
  let policy: { readonly pair: string; readonly document: Policy | null } | null = null;

  const readSlow = async (): Promise<SlowFacts> => {
    const readMs = cluster.clock.monotonicMs();
    if (slow !== null && readMs - slow.readMs < SLOW_MS) return slow;
    const [ledger, events, pods] = await Promise.all([
      readLedgerView(cluster, name),
      readEvents(cluster, name),
      listPods(cluster, name),
    ]);
    slow = { readMs, ledger, events, pods };
    return slow;
  };

  /** Again only when the status names another: bundles lie in the same ConfigMap. */
  const readPolicy = async ({ status }: ServiceView): Promise<Policy | null> => {
    const { epoch = 0, revision = 0 } = status.policy ?? {};
    const pair = `${epoch}.${revision}`;
    if (policy?.pair !== pair) policy = { pair, document: await policyOf(cluster, name) };
    return policy.document;
  };

  return {
    read: async () => {
      const object = await findService(cluster, name);
      if (object === null) {
        [slow, policy] = [null, null];
        return null;
      }
      const service = readServiceView(object);
      const { ledger, events, pods } = await readSlow();
      return {
        service,
        ledger,
        events,
        policy: await readPolicy(service),
        fleet: await fleet.read(pods),
      };
    },
  };
}

/** What servers are told; null: nothing yet, of another version, or this user may not read it. */
async function policyOf(cluster: Cluster, service: string): Promise<Policy | null> {
  const ref = {
    kind: 'ConfigMap',
    namespace: cluster.namespace,
    name: policyConfigMapName(service),
  } as const;
  try {
    return storedPolicy(await getOrNull(cluster.api, ref));
  } catch (error) {
    if (error instanceof ApiStatusError && error.isForbidden) return null;
    throw error;
  }
}
