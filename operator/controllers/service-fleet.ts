import { createFleetStore, type FleetStore } from '../fleet/fleet-store.ts';
import type { Caches } from './caches.ts';
import type { ControllerDependencies } from './dependencies.ts';

/** The fleet store of all services, as controllers share it. Keys are `namespace/name`. */
export interface ServiceFleet extends FleetStore {
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
  const store = createFleetStore({
    ...{ clock, signal, random },
    onPull: (result, seconds) => {
      metrics.evidencePulled(result, seconds);
    },
    connect: (key, pod) => connections.open(services.get(key)?.metadata.uid ?? '', pod),
    onChange: (key) => {
      for (const handler of handlers) handler(key);
    },
  });
  return {
    ...store,
    onChange: (handler) => {
      handlers.push(handler);
    },
    acknowledgedHeads: (key) =>
      new Set(
        store.pods(key).flatMap(({ acknowledgement }) => acknowledgement?.headRevisions ?? []),
      ),
  };
}
