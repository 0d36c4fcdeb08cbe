import type { KubeObject } from '../../kube/api.ts';
import { createApplier } from '../../kube/apply.ts';
import { controllerOf } from '../../kube/owner.ts';
import type { StoreChange } from '../../kube/store.ts';
import { createWorkQueue, type PassResult } from '../../kube/work-queue.ts';
import {
  FIELD_MANAGER,
  ledgerConfigMapName,
  policyConfigMapName,
  trainerAccountName,
} from '../../plan/names.ts';
import { SERVICE_LABEL, serviceOfPod, serviceOfRevision, type Caches } from '../caches.ts';
import type { Controller, ControllerDependencies } from '../dependencies.ts';
import type { ServiceFleet } from '../service-fleet.ts';
import { reconcileService } from './reconcile-service.ts';
import { newMemory, type ServiceMemory } from './service-memory.ts';
import type { ServiceShell } from './service-shell.ts';

const NAME = 'cached-model-service';
/** Pods of a service are polled together and answer one after the other: one pass takes the figures of all of them. */
const GATHER_MS = 500;

/** Makes and keeps what a service consists of, publishes its policy, and reports (api.md 7). */
export function createServiceController(
  deps: ControllerDependencies,
  caches: Caches,
  fleet: ServiceFleet,
): Controller {
  const { api, clock, random, signal, metrics, log } = deps;
  const shell: ServiceShell = { deps, caches, fleet, applier: createApplier(api, FIELD_MANAGER) };
  const memories = new Map<string, ServiceMemory>();
  const queue = createWorkQueue({
    ...{ clock, random, signal, workers: deps.concurrency },
    onPass: (ended) => {
      metrics.passEnded(NAME, ended);
      const { key, outcome, error, retryInMs, tookMs } = ended;
      const facts = { controller: NAME, key, outcome, durationMs: tookMs };
      if (error === null) log.debug(facts, 'pass ended');
      else log.warn({ ...facts, err: error, retryInMs }, 'pass failed');
    },
  });
  metrics.queueMade(NAME, queue);
  wake(caches, (key, change) => {
    if (change !== null) memories.get(key)?.written.heard(change);
    queue.add(key);
  });
  fleet.onChange((key, change) => {
    queue.addAfter(key, change === 'Figures' ? GATHER_MS : 0);
  });

  function forget(key: string, { metadata }: KubeObject): void {
    const namespace = String(metadata.namespace);
    const { name } = metadata;
    const children = [
      name,
      policyConfigMapName(name),
      ledgerConfigMapName(name),
      trainerAccountName(name),
    ];
    for (const child of children) shell.applier.forget(`${namespace}/${child}`);
    memories.delete(key);
    fleet.unfollow(key);
    fleet.followTrainer(key, null);
  }

  function memoryOf(key: string, object: KubeObject): ServiceMemory {
    const { uid = '' } = object.metadata;
    const known = memories.get(key);
    if (known?.uid === uid) return known;
    // Another service of that name: nothing of the old one holds.
    if (known !== undefined) forget(key, object);
    const memory = newMemory(uid);
    memories.set(key, memory);
    return memory;
  }

  async function reconcile(key: string): Promise<PassResult> {
    const object = caches.services.get(key);
    if (object !== undefined) return reconcileService(shell, object, memoryOf(key, object));
    const [namespace = '', name = ''] = key.split('/');
    forget(key, { apiVersion: '', kind: '', metadata: { namespace, name } });
    metrics.serviceGone(key);
    return Promise.resolve({ kind: 'Done' });
  }

  return { name: NAME, run: () => queue.run(reconcile) };
}

/** Every object that a service is decided by asks for a pass over it. */
function wake(
  { services, headRevisions, children, pods, trainers }: Caches,
  add: (key: string, change: StoreChange | null) => void,
): void {
  services.onKey((change) => {
    add(change.key, change);
  });
  for (const cache of Object.values(children)) {
    cache.onKey((change) => {
      for (const key of servicesOf(change, serviceOfChild)) add(key, change);
    });
  }
  for (const cache of [pods, trainers]) {
    cache.onKey((change) => {
      for (const key of servicesOf(change, serviceOfPod)) add(key, null);
    });
  }
  headRevisions.onKey((change) => {
    for (const key of servicesOf(change, serviceOfRevision)) add(key, null);
  });
}

function servicesOf(
  { object, previous }: StoreChange,
  serviceOf: (object: KubeObject) => string | undefined,
): Set<string> {
  const keys = [object, previous].map((one) => (one === null ? undefined : serviceOf(one)));
  return new Set(keys.filter((key) => key !== undefined));
}

/** Its owner, or what its label says of one that we do not own. */
function serviceOfChild(object: KubeObject): string | undefined {
  const owner = controllerOf(object);
  const name =
    owner?.kind === 'CachedModelService' ? owner.name : object.metadata.labels?.[SERVICE_LABEL];
  return name === undefined ? undefined : `${String(object.metadata.namespace)}/${name}`;
}
