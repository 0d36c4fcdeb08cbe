import type { FleetChange } from '../fleet/fleet-change.ts';
import { createFleetStore, type FleetStore } from '../fleet/fleet-store.ts';
import {
  createRemoteBundles,
  type BundleProblem,
  type RemoteBundleStore,
} from '../fleet/remote-bundles.ts';
import { createTrainerStore, type TrainerStore } from '../fleet/trainer-store.ts';
import type { Caches } from './caches.ts';
import type { FleetPod, PodView } from '../fleet/fleet-pod.ts';
import type { ControllerDependencies } from './dependencies.ts';

/** The fleet store of all services, as controllers share it. Keys are `namespace/name`. */
export interface ServiceFleet extends FleetStore, TrainerStore, RemoteBundleStore {
  /** Called when something that decisions read has changed. */
  onChange(handler: (key: string, change: FleetChange) => void): void;
  /** Digests of the head bundles that pods of a service last said they hold. */
  acknowledgedHeads(key: string): ReadonlySet<string>;
  /** Why a pod of the service lacks heads that it was told to fetch; null: none says so. */
  missingHeads(key: string, headRevision: string): BundleProblem | null;
}

export function createServiceFleet(
  { clock, signal, random, connections, metrics }: ControllerDependencies,
  { services }: Pick<Caches, 'services'>,
): ServiceFleet {
  const handlers: ((key: string, change: FleetChange) => void)[] = [];
  const tell = (key: string, change: FleetChange): void => {
    for (const handler of handlers) handler(key, change);
  };
  const shared = {
    ...{ clock, signal },
    connect: (key: string, pod: FleetPod) =>
      connections.open(services.get(key)?.metadata.uid ?? '', pod),
    onChange: (key: string) => {
      tell(key, 'Pod');
    },
  };
  const store = createFleetStore({
    ...shared,
    onChange: tell,
    random,
    onPull: (...pull) => {
      metrics.evidencePulled(...pull);
    },
  });
  const trainers = createTrainerStore(shared);
  const bundles = createRemoteBundles({
    ...shared,
    pods: (key) => store.pods(key),
    call: (key, podUid, call) => store.call(key, podUid, call),
  });
  return {
    ...store,
    ...trainers,
    ...bundles,
    unfollow: (key) => {
      store.unfollow(key);
      bundles.wantBundles(key, []);
    },
    run: async () => {
      await Promise.all([store.run(), trainers.runTrainers(), bundles.runBundles()]);
    },
    onChange: (handler) => {
      handlers.push(handler);
    },
    missingHeads: (key, headRevision) => findMissing(store.pods(key), headRevision),
    acknowledgedHeads: (key) =>
      new Set(
        store.pods(key).flatMap(({ acknowledgement }) => acknowledgement?.headRevisions ?? []),
      ),
  };
}

function findMissing(pods: readonly PodView[], headRevision: string): BundleProblem | null {
  for (const { pod, state } of pods) {
    const { missingHeads = [] } = state?.loaded === true ? state.state : {};
    const found = missingHeads.find((missing) => missing.headRevision === headRevision);
    if (found !== undefined) {
      return { reason: found.reason, message: `Pod ${pod.name}: ${found.message}` };
    }
  }
  return null;
}
