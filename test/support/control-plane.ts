import { afterAll, inject } from 'vitest';
import { absentCluster } from '../cluster/harness/absent-cluster.ts';
import { askBroker } from '../cluster/harness/ask-broker.ts';
import { whyUnavailable } from '../cluster/harness/availability.ts';
import type { Cluster, ClusterFacts, ClusterOptions } from '../cluster/harness/cluster.ts';
import { startCluster } from '../cluster/harness/cluster.ts';
import type { ControlPlane } from '../cluster/harness/connected-cluster.ts';
import { connectControlPlane } from '../cluster/harness/connected-cluster.ts';

export type { ControlPlane } from '../cluster/harness/connected-cluster.ts';
export { whyUnavailable } from '../cluster/harness/availability.ts';

/** One that this test file started for itself and may therefore break. */
export type OwnControlPlane = ControlPlane & Omit<Cluster, 'facts'>;

/** The shared one, or why there is none: then its tests are skipped and its other fields throw when touched. */
export type SharedControlPlane = ControlPlane & { readonly unavailable: string | null };

/**
 * Starts a control plane for this test file alone, about 4 s: for tests that kill, freeze or configure parts.
 * The caller stops it; if it cannot, the end of the process does.
 * @throws Unavailable: ask `whyUnavailable('control-plane')` first and skip.
 */
export async function startControlPlane(options: ClusterOptions = {}): Promise<OwnControlPlane> {
  const { facts, ...cluster } = await startCluster(options);
  return { ...connectControlPlane(facts), ...cluster };
}

/**
 * The control plane that all test files of a run share: etcd, API server, controllers and scheduler, no nodes.
 * Await it at the top of a file and skip where there is none:
 * `const plane = await sharedControlPlane(); describe.skipIf(plane.unavailable !== null)(...)`.
 */
export async function sharedControlPlane(): Promise<SharedControlPlane> {
  const socket = inject('clusterBroker');
  if (socket === undefined) return controlPlaneOfThisFile();
  const shared = await askBroker<ClusterFacts>(socket, 'control-plane');
  if (shared.unavailable !== null) return absentCluster(shared.unavailable) as SharedControlPlane;
  return { unavailable: null, ...connectControlPlane(shared.facts) };
}

/** Under a vitest configuration without the global set-up. */
async function controlPlaneOfThisFile(): Promise<SharedControlPlane> {
  const unavailable = await whyUnavailable('control-plane');
  if (unavailable !== null) return absentCluster(unavailable) as SharedControlPlane;
  const own = await startControlPlane();
  afterAll(() => own.stop());
  return { unavailable: null, ...own };
}
