import type { ServiceStatus } from '../crds/v1alpha1/service-status.ts';
import { InvariantError } from '../server/core/invariant.ts';
import type { Clock } from './clock.ts';
import type { ControllerMetrics } from './controllers/dependencies.ts';
import type { ApiStatusError } from './kube/api-status-error.ts';
import type { EventCounters } from './kube/events.ts';
import { isWrite, type ApiCall } from './kube/intercept-api.ts';
import type { KindName } from './kube/kinds.ts';
import type { Reflector, ReflectorCounters } from './kube/reflector.ts';
import type { Pass, WorkQueue } from './kube/work-queue.ts';
import type { LabelOf, MetricHandles, MetricRegistry, ServiceName } from './metrics.ts';
import { createLifecycleMetrics } from './lifecycle-metrics.ts';
import { labelsOf, showService, SHOWN_FAMILIES } from './service-metrics.ts';
import { createReadAges } from './read-ages.ts';
import { COMMIT } from './version.ts';

/** What the program says to people through `/metrics`. Nothing here throws or waits. */
export interface OperatorMetrics extends ControllerMetrics {
  /** After each call of the API server; null: there was no answer. */
  apiAnswered(host: string, method: string, status: number | null): void;
  /** After each call of `Api`: writes are counted by kind. */
  callEnded(call: ApiCall, error: ApiStatusError | null): void;
  followEvents(counters: EventCounters): void;
  followLease(name: string, isLeading: () => boolean): void;
  /** Reads what is followed, then renders all. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface ProgramFacts {
  readonly version: string;
  readonly nodeVersion: string;
  readonly clock: Clock;
}

const RECONCILE_RESULTS = ['success', 'error', 'requeue', 'requeue_after'] as const;

/** In a conflict somebody else was faster: the pass is done again, and nothing is wrong. */
const RESULT_OF_PASS = {
  Done: 'success',
  RequeueAfter: 'requeue_after',
  Conflict: 'requeue',
  Failed: 'error',
  Terminal: 'error',
} as const satisfies Record<Pass['outcome'], (typeof RECONCILE_RESULTS)[number]>;

export function createOperatorMetrics(
  registry: MetricRegistry,
  { version, nodeVersion, clock }: ProgramFacts,
): OperatorMetrics {
  const { handles } = registry;
  /** What is read at each scrape. */
  const followed: (() => void)[] = [];
  /** By kind: of all its watches. */
  const copies = new Map<KindName, Reflector[]>();
  /** Policies that were stored and that a status has not called acknowledged yet, by service. */
  const spreading = new Map<string, number>();
  /** Services with series, as `namespace/name`. */
  const reported = new Set<string>();
  const lifecycle = createLifecycleMetrics(handles);
  handles.operatorBuildInfo.set({ version, commit: COMMIT, node_version: nodeVersion }, 1);
  return {
    queueMade: (controller, queue) => {
      startController(handles, controller);
      handles.maxConcurrentReconciles.set({ controller }, queue.workers);
      followed.push(readQueue(handles, controller, queue));
    },
    kindWatched: ({ kind, reflectors }) => {
      // Pods of servers and of trainers are one kind.
      const all = copies.get(kind) ?? [];
      all.push(...reflectors);
      if (!copies.has(kind)) followed.push(readCaches(handles, kind, all));
      copies.set(kind, all);
      for (const { counters } of reflectors) followed.push(countCache(handles, kind, counters));
    },
    passEnded: (controller, pass) => {
      countPass(handles, controller, pass);
    },
    serviceReported: (key, status, budgetRatio) => {
      const service = nameOf(key);
      reported.add(key);
      registry.forget(service, SHOWN_FAMILIES);
      registry.start(service);
      showService(handles, service, { status, budgetRatio });
      lifecycle.show(service);
      const storedMs = spreading.get(key);
      if (storedMs === undefined || !isAcknowledged(status)) return;
      spreading.delete(key);
      const seconds = (clock.monotonicMs() - storedMs) / 1000;
      handles.policyPropagation.observe({ result: 'acknowledged' }, seconds);
    },
    serviceGone: (key) => {
      spreading.delete(key);
      reported.delete(key);
      lifecycle.forget(nameOf(key));
      registry.forget(nameOf(key));
    },
    lifecycleDecided: (key, ledger, decisions) => {
      const service = nameOf(key);
      registry.start(service);
      registry.forget(service, ['serviceDetector', 'serviceEvidenceNeeded']);
      lifecycle.decided(service, ledger, decisions);
    },
    policyPublished: (key, path) => {
      handles.policyPublishes.inc({ path: path === 'Mount' ? 'mount' : 'push' });
      if (path !== 'Mount') return;
      const beforeMs = spreading.get(key);
      const nowMs = clock.monotonicMs();
      spreading.set(key, nowMs);
      if (beforeMs === undefined) return;
      handles.policyPropagation.observe({ result: 'superseded' }, (nowMs - beforeMs) / 1000);
    },
    apiAnswered: (host, method, status) => {
      const code = status === null ? '<error>' : String(status);
      handles.apiRequests.inc({ code, method, host });
    },
    callEnded: (call, error) => {
      countWrite(handles, call, error);
    },
    evidencePulled: (result, seconds) => {
      handles.evidencePulls.inc({ result });
      handles.evidencePullDuration.observe({ result }, seconds);
    },
    fleetMade: (pods) => {
      const ages = createReadAges(clock);
      followed.push(() => {
        for (const key of reported) {
          const service = nameOf(key);
          registry.forget(service, ['evidenceOldest']);
          const oldestMs = ages.oldestReadMs(key, pods(key));
          if (oldestMs !== null) handles.evidenceOldest.set(labelsOf(service), oldestMs / 1000);
        }
      });
    },
    followEvents: (counters) => {
      followed.push(countEvents(handles, counters));
    },
    followLease: (name, isLeading) => {
      followed.push(() => {
        handles.leader.set({ name }, isLeading() ? 1 : 0);
      });
    },
    render: () => {
      for (const read of followed) read();
      return registry.render();
    },
  };
}

/** How much a count has grown since it was last asked. */
function growth(count: () => number): () => number {
  let seen = 0;
  return () => {
    const now = count();
    const grown = now - seen;
    seen = now;
    return grown;
  };
}

/** `namespace/name`. */
function nameOf(key: string): ServiceName {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}

function startController(handles: MetricHandles, controller: string): void {
  for (const result of RECONCILE_RESULTS) handles.reconciles.inc({ controller, result }, 0);
  handles.reconcileErrors.inc({ controller }, 0);
  handles.terminalReconcileErrors.inc({ controller }, 0);
  handles.reconcilePanics.inc({ controller }, 0);
  handles.reconcileTime.zero({ controller });
  handles.queueWait.zero({ name: controller, controller });
  handles.queueWork.zero({ name: controller, controller });
}

function readQueue(handles: MetricHandles, controller: string, queue: WorkQueue): () => void {
  const labels = { name: controller, controller };
  const added = growth(() => queue.counters.adds);
  const retried = growth(() => queue.counters.retries);
  return () => {
    handles.queueAdds.inc(labels, added());
    handles.queueRetries.inc(labels, retried());
    handles.queueDepth.set(labels, queue.depth);
    handles.queueUnfinished.set(labels, queue.unfinishedMs / 1000);
    handles.queueLongest.set(labels, queue.longestRunningMs / 1000);
    handles.activeWorkers.set({ controller }, queue.active);
  };
}

function readCaches(
  handles: MetricHandles,
  kind: KindName,
  reflectors: readonly Reflector[],
): () => void {
  return () => {
    const size = reflectors.reduce((sum, reflector) => sum + reflector.size, 0);
    handles.cacheObjects.set({ kind }, size);
    handles.cacheCurrent.set({ kind }, reflectors.every(isCurrent) ? 1 : 0);
  };
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

function isCurrent({ isSynced, problem }: Reflector): boolean {
  return isSynced && problem === null;
}

/** Counters of the adapter speak in its words; labels are these in lower case. */
function countCache(handles: MetricHandles, kind: string, counters: ReflectorCounters): () => void {
  const { lists, watchEnds } = counters;
  const causes = keysOf(lists).map((cause) => ({ cause, grown: growth(() => lists[cause]) }));
  const ends = keysOf(watchEnds).map((end) => ({ end, grown: growth(() => watchEnds[end]) }));
  const missed = growth(() => counters.misses);
  return () => {
    for (const { cause, grown } of causes) {
      handles.cacheLists.inc({ kind, cause: lowerCase(cause) }, grown());
    }
    for (const { end, grown } of ends) {
      handles.cacheWatchEnds.inc({ kind, end: lowerCase(end) }, grown());
    }
    handles.cacheMisses.inc({ kind }, missed());
  };
}

function keysOf<K extends string>(counts: Readonly<Record<K, number>>): readonly K[] {
  return Object.keys(counts) as K[];
}

/** All these words are one word. */
function lowerCase<T extends string>(word: T): Lowercase<T> {
  return word.toLowerCase() as Lowercase<T>;
}

function countWrite(handles: MetricHandles, call: ApiCall, error: ApiStatusError | null): void {
  if (!isWrite(call) || call.isDryRun) return;
  handles.objectWrites.inc({
    kind: call.kind,
    subresource: call.subresource ?? '',
    verb: call.verb as LabelOf<'objectWrites', 'verb'>,
    result: resultOf(error),
  });
}

function resultOf(error: ApiStatusError | null): LabelOf<'objectWrites', 'result'> {
  if (error === null) return 'ok';
  if (error.isConflict || error.isAlreadyExists) return 'conflict';
  if (error.isForbidden) return 'forbidden';
  return error.isInvalid ? 'rejected' : 'failed';
}

function countEvents(handles: MetricHandles, counters: EventCounters): () => void {
  const written = growth(() => counters.written);
  const dropped = growth(() => counters.dropped);
  return () => {
    handles.events.inc({ result: 'written' }, written());
    handles.events.inc({ result: 'dropped' }, dropped());
  };
}

function isAcknowledged({ conditions = [] }: ServiceStatus): boolean {
  return conditions.some(
    ({ type, status, reason }) =>
      type === 'PolicyApplied' && status === 'True' && reason === 'AllReplicas',
  );
}
