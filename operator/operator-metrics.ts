import type { Condition } from '../crds/v1alpha1/conditions.ts';
import { InvariantError } from '../server/core/invariant.ts';
import type { EventCounters } from './kube/events.ts';
import type { ReflectorCounters } from './kube/reflector.ts';
import type { Pass } from './kube/work-queue.ts';
import type {
  LabelOf,
  MetricHandles,
  MetricRegistry,
  OperatorMetrics,
  ServiceFigures,
  ServiceName,
} from './metrics.ts';

export interface MeteredProgram {
  readonly metrics: OperatorMetrics;
  /** Reads what is followed, then renders. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

const RECONCILE_RESULTS = ['success', 'error', 'requeue', 'requeue_after'] as const;

/** Somebody else was faster: the pass is done again, and nothing is wrong. */
const RESULT_OF_PASS = {
  Done: 'success',
  RequeueAfter: 'requeue_after',
  Conflict: 'requeue',
  Failed: 'error',
  Terminal: 'error',
} as const satisfies Record<Pass['outcome'], (typeof RECONCILE_RESULTS)[number]>;

const CONDITION_VALUES = { True: 1, False: 0, Unknown: -1 } as const satisfies Record<
  Condition['status'],
  number
>;

export function createOperatorMetrics(registry: MetricRegistry): MeteredProgram {
  const { handles } = registry;
  /** What is read at each scrape. */
  const followed: (() => void)[] = [];
  const caches = new Map<string, CacheFigures[]>();
  followed.push(() => {
    for (const [kind, ofKind] of caches) showCaches(handles, kind, ofKind);
  });
  const metrics: OperatorMetrics = {
    passed: (controller, pass) => {
      countPass(handles, controller, pass);
    },
    followQueue: (controller, queue, workers) => {
      const labels = { name: controller, controller };
      startController(handles, controller, workers);
      const added = follow(() => queue.counters.adds);
      const retried = follow(() => queue.counters.retries);
      followed.push(() => {
        handles.queueAdds.inc(labels, added());
        handles.queueRetries.inc(labels, retried());
        handles.queueDepth.set(labels, queue.depth);
        handles.queueUnfinished.set(labels, queue.unfinishedMs / 1000);
        handles.queueLongest.set(labels, queue.longestRunningMs / 1000);
        handles.activeWorkers.set({ controller }, queue.active);
      });
    },
    followCache: (cache) => {
      caches.set(cache.kind, [...(caches.get(cache.kind) ?? []), cache]);
      followed.push(countCache(handles, cache));
    },
    followEvents: (counters) => {
      followed.push(countEvents(handles, counters));
    },
    childWritten: (kind, result) => {
      handles.childWrites.inc({ kind, result });
    },
    statusWritten: (kind, result) => {
      handles.statusWrites.inc({ kind, result });
    },
    describeService: (service, figures) => {
      registry.forget(service, SHOWN_FAMILIES);
      showService(handles, service, figures);
    },
    forgetService: (service) => {
      registry.forget(service);
    },
    policyPublished: (service, path, result) => {
      handles.policyPublishes.inc({ ...labelsOf(service), path, result });
    },
    policyPropagated: (result, seconds) => {
      handles.policyPropagation.observe({ result }, seconds);
    },
    evidencePulled: (result, seconds) => {
      handles.evidencePulls.inc({ result });
      handles.evidencePullDuration.observe({ result }, seconds);
    },
    apiAnswered: (call) => {
      handles.apiRequests.inc(call);
    },
    followLease: ({ name }, isLeading) => {
      followed.push(() => {
        handles.leader.set({ name }, isLeading() ? 1 : 0);
      });
    },
  };
  return {
    metrics,
    render: () => {
      for (const read of followed) read();
      return registry.render();
    },
  };
}

/** How much a count has grown since it was last asked. */
function follow(count: () => number): () => number {
  let seen = 0;
  return () => {
    const now = count();
    const grown = now - seen;
    seen = now;
    return grown;
  };
}

function labelsOf({ namespace, name }: ServiceName): {
  readonly model_namespace: string;
  readonly model: string;
} {
  return { model_namespace: namespace, model: name };
}

function startController(handles: MetricHandles, controller: string, workers: number): void {
  for (const result of RECONCILE_RESULTS) handles.reconciles.inc({ controller, result }, 0);
  handles.reconcileErrors.inc({ controller }, 0);
  handles.terminalReconcileErrors.inc({ controller }, 0);
  handles.reconcilePanics.inc({ controller }, 0);
  handles.reconcileTime.zero({ controller });
  handles.queueWait.zero({ name: controller, controller });
  handles.queueWork.zero({ name: controller, controller });
  handles.maxConcurrentReconciles.set({ controller }, workers);
}

function countPass(handles: MetricHandles, controller: string, pass: Pass): void {
  const { outcome, error, waitedMs, tookMs } = pass;
  handles.reconciles.inc({ controller, result: RESULT_OF_PASS[outcome] });
  if (outcome === 'Failed' || outcome === 'Terminal') handles.reconcileErrors.inc({ controller });
  if (outcome === 'Terminal') handles.terminalReconcileErrors.inc({ controller });
  if (error instanceof InvariantError) handles.reconcilePanics.inc({ controller });
  handles.reconcileTime.observe({ controller }, tookMs / 1000);
  handles.queueWait.observe({ name: controller, controller }, waitedMs / 1000);
  handles.queueWork.observe({ name: controller, controller }, tookMs / 1000);
}

interface CacheFigures {
  readonly size: number;
  readonly problem: string | null;
}

function showCaches(handles: MetricHandles, kind: string, caches: readonly CacheFigures[]): void {
  handles.cacheObjects.set(
    { kind },
    caches.reduce((sum, { size }) => sum + size, 0),
  );
  handles.cacheCurrent.set({ kind }, caches.every(({ problem }) => problem === null) ? 1 : 0);
}

/** Counters of the adapter speak in its words; labels are their snake_case. */
function countCache(
  handles: MetricHandles,
  { kind, counters }: { readonly kind: string; readonly counters: ReflectorCounters },
): () => void {
  const lists = Object.keys(counters.lists).map((key) => {
    const cause = key as keyof ReflectorCounters['lists'];
    return { cause, grown: follow(() => counters.lists[cause]) };
  });
  const ends = Object.keys(counters.watchEnds).map((key) => {
    const end = key as keyof ReflectorCounters['watchEnds'];
    return { end, grown: follow(() => counters.watchEnds[end]) };
  });
  const missed = follow(() => counters.misses);
  return () => {
    for (const { cause, grown } of lists) {
      handles.cacheLists.inc({ kind, cause: snakeCase(cause) }, grown());
    }
    for (const { end, grown } of ends) {
      handles.cacheWatchEnds.inc({ kind, end: snakeCase(end) }, grown());
    }
    handles.cacheMisses.inc({ kind }, missed());
  };
}

/** All these words are one word. */
function snakeCase<T extends string>(word: T): Lowercase<T> {
  return word.toLowerCase() as Lowercase<T>;
}

function countEvents(handles: MetricHandles, counters: EventCounters): () => void {
  const written = follow(() => counters.written);
  const dropped = follow(() => counters.dropped);
  return () => {
    handles.events.inc({ result: 'written' }, written());
    handles.events.inc({ result: 'dropped' }, dropped());
  };
}

/** The families that `describeService` writes whole. */
const SHOWN_FAMILIES = [
  'serviceInfo',
  'serviceCondition',
  'serviceReplicas',
  'serviceBudget',
  'serviceEvidenceOldest',
] as const;

function showService(handles: MetricHandles, service: ServiceName, figures: ServiceFigures): void {
  const labels = labelsOf(service);
  const { engine, format, conditions, replicas, budgetRatio, evidenceOldestSeconds } = figures;
  handles.serviceInfo.set({ ...labels, engine, format }, 1);
  for (const { type, status } of conditions) {
    handles.serviceCondition.set({ ...labels, condition: type }, CONDITION_VALUES[status]);
  }
  for (const [state, count] of Object.entries(replicas)) {
    handles.serviceReplicas.set(
      { ...labels, state: state as LabelOf<'serviceReplicas', 'state'> },
      count,
    );
  }
  handles.serviceBudget.set(labels, budgetRatio);
  if (evidenceOldestSeconds !== null) {
    handles.serviceEvidenceOldest.set(labels, evidenceOldestSeconds);
  }
}
