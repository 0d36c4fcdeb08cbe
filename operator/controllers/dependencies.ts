import type { ServiceStatus } from '../../crds/v1alpha1/service-status.ts';
import type { PodView } from '../fleet/fleet-pod.ts';
import type { PodConnections } from '../fleet/pod-connections.ts';
import type { Api } from '../kube/api.ts';
import type { KubeClock } from '../kube/clock.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { Pass, WorkQueue } from '../kube/work-queue.ts';
import type { Installation, ServiceDefaults } from '../plan/defaults.ts';
import type { PullResult } from '../fleet/pull-result.ts';
import type { Ledger } from '../lifecycle/ledger.ts';
import type { Decision } from '../lifecycle/types.ts';
import type { WatchedKind } from './watched-kind.ts';

/** Constant messages, facts in fields (style.md 8); pino's shape. */
export interface ControllerLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export type ControllerName = 'cached-model-service' | 'cache-head-revision';

/** What controllers tell metrics; nothing here is waited for or may throw. */
export interface ControllerMetrics {
  /** Once per controller, when its queue exists: for depth and ages. */
  queueMade(controller: ControllerName, queue: WorkQueue): void;
  /** Once per reflector, before it runs: for counters of lists and watches. */
  kindWatched(watched: WatchedKind): void;
  /** After every pass. */
  passEnded(controller: ControllerName, pass: Pass): void;
  /** After a status was written, and once per service after a start. `key` is `namespace/name`; null: no sound spec. */
  serviceReported(key: string, status: ServiceStatus, budgetRatio: number | null): void;
  /** After a ledger is stored, with the decisions that led to it. */
  lifecycleDecided(key: string, ledger: Ledger, decisions: readonly Decision[]): void;
  /** The service is gone: its series go too. */
  serviceGone(key: string): void;
  /** A policy was stored (`Mount`) or handed to the fleet (`Push`). */
  policyPublished(key: string, path: 'Mount' | 'Push'): void;
  /** After each pull of evidence. */
  evidencePulled(result: PullResult, seconds: number): void;
  /** Once, when the fleet store exists: what the pods of a service said last. */
  fleetMade(pods: (key: string) => readonly PodView[]): void;
}

export interface ControllerDependencies {
  /** Reads and writes; refuses writes from the moment this process no longer leads (`guardWrites`). */
  readonly api: Api;
  /** For reflectors: lists and watches. May be the same. */
  readonly readingApi: Api;
  readonly clock: KubeClock;
  /** [0, 1) */
  readonly random: () => number;
  /** Ends everything: no pass starts after it, `run` resolves when those at work have ended. */
  readonly signal: AbortSignal;
  readonly installation: Installation;
  readonly defaults: ServiceDefaults;
  /** The 32-byte root key of the installation: admin keys of services are derived from it. */
  readonly rootKey: Uint8Array;
  /** Ways to pods, by keys of the same root (`createPodConnections(rootKey, clock)`). */
  readonly connections: PodConnections;
  readonly events: EventRecorder;
  readonly metrics: ControllerMetrics;
  readonly log: ControllerLog;
  /** Empty: all namespaces. */
  readonly watchNamespaces: readonly string[];
  /** Of those, the ones of this shard: others are another process's. */
  readonly ownsNamespace: (namespace: string) => boolean;
  /** This process, new with every start: annotation `layercache.io/writer`. */
  readonly writer: string;
  /** `leaseTransitions` of the elector: one of the epochs seen. */
  readonly leaseTransitions: () => number;
  /** Passes at once, in each controller. @defaultValue 4 */
  readonly concurrency?: number;
}

/** One reconciler with its queue. */
export interface Controller {
  readonly name: ControllerName;
  /** Works until the signal; rejects on a broken invariant: the process must not go on. */
  run(): Promise<void>;
}
