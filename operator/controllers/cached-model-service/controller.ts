import type { Caches } from '../caches.ts';
import type { Controller, ControllerDependencies } from '../dependencies.ts';
import { createWorkQueue } from '../../kube/work-queue.ts';

export function createServiceController(
  { clock, random, signal, metrics }: ControllerDependencies,
  { services }: Caches,
): Controller {
  const name = 'cached-model-service';
  const queue = createWorkQueue({
    ...{ clock, random, signal },
    onPass: (pass) => {
      metrics.passEnded(name, pass);
    },
  });
  metrics.queueMade(name, queue);
  services.onKey(({ key }) => {
    queue.add(key);
  });
  return {
    name,
    run: () => queue.run(() => Promise.resolve({ kind: 'Done' })),
  };
}
