import { setMaxListeners } from 'node:events';
import { createHeadRevisionController } from './cache-head-revision/controller.ts';
import { createServiceController } from './cached-model-service/controller.ts';
import { createCaches } from './caches.ts';
import type { Controller, ControllerDependencies } from './dependencies.ts';
import { createServiceFleet } from './service-fleet.ts';

export interface Controllers {
  /** Resolves once every cache holds its first list, or when the process ended before. */
  readonly synced: Promise<void>;
  /** Watches, waits for `synced`, works until the signal. Call it while leading. Rejects on a broken invariant. */
  run(): Promise<void>;
}

/** All controllers over one set of caches; nothing is read or written before `run`. */
export function createControllers(deps: ControllerDependencies): Controllers {
  // Every reflector, queue and sleep waits for it: more than ten are no leak.
  setMaxListeners(0, deps.signal);
  const caches = createCaches(deps);
  const fleet = createServiceFleet(deps, caches);
  deps.metrics.fleetMade((key) => fleet.pods(key));
  const controllers: readonly Controller[] = [
    createServiceController(deps, caches, fleet),
    createHeadRevisionController(deps, caches, fleet),
  ];
  const allSynced = Promise.all(caches.all.map(({ synced }) => synced));
  return {
    synced: allSynced.then(() => undefined),
    run: async () => {
      const watching = Promise.all(caches.all.map((watched) => watched.run()));
      const working = allSynced.then(async (outcomes) => {
        // No decision before everything that it rests on is there.
        if (!outcomes.every(Boolean)) return;
        await Promise.all([fleet.run(), ...controllers.map((controller) => controller.run())]);
      });
      await Promise.all([watching, working]);
    },
  };
}
