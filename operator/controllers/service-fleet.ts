import { createFleetStore, type FleetStore } from '../fleet/fleet-store.ts';
import { createTrainerStore, type TrainerStore } from '../fleet/trainer-store.ts';
import type { Caches } from './caches.ts';
import type { FleetPod } from '../fleet/fleet-pod.ts';
import type { ControllerDependencies } from './dependencies.ts';

/** The fleet store of all services, as controllers share it. Keys are `namespace/name`. */
export interface ServiceFleet extends FleetStore, TrainerStore {
  /** Called when something that decisions read has changed. */
  onChange(handler: (key: string) => void): void;
  /** Digests of the head bundles that pods of a service last said they hold. */
  acknowledgedHeads(key: string): ReadonlySet<string>;
}

export function createServiceFleet(
  { clock, signal, random, connections, metrics }: ControllerDependencies,
  { services }: Pick<Caches, 'services'>,
): ServiceFleet {
  const handlers: ((key: string) => void)[] = [];
  const shared = {
    ...{ clock, signal },
    connect: (key: string, pod: FleetPod) =>
      connections.open(services.get(key)?.metadata.uid ?? '', pod),
    onChange: (key: string) => {
      for (const handler of handlers) handler(key);
    },
  };
  const store = createFleetStore({
    ...shared,
    random,
    onPull: (...pull) => {
      metrics.evidencePulled(...pull);
    },
  });
  const trainers = createTrainerStore(shared);
  return {
    ...store,
    ...trainers,
    run: async () => {
      await Promise.all([store.run(), trainers.runTrainers()]);
    },
    onChange: (handler) => {
      handlers.push(handler);
    },
    acknowledgedHeads: (key) =>
      new Set(
        store.pods(key).flatMap(({ acknowledgement }) => acknowledgement?.headRevisions ?? []),
      ),
  };
}
