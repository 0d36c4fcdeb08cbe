// The controller over a cluster in memory, in time that a test moves.
import { onTestFinished } from 'vitest';
import { createHeadRevisionController } from '../../../../../operator/controllers/cache-head-revision/controller.ts';
import { createCaches } from '../../../../../operator/controllers/caches.ts';
import type {
  ControllerDependencies,
  ControllerMetrics,
} from '../../../../../operator/controllers/dependencies.ts';
import { createPodConnections } from '../../../../../operator/fleet/pod-connections.ts';
import type { VerifiedBundle } from '../../../../../operator/fleet/pull-bundle.ts';
import type { BundleProblem } from '../../../../../operator/fleet/remote-bundles.ts';
import type { Api, KubeObject } from '../../../../../operator/kube/api.ts';
import type { KubeClock } from '../../../../../operator/kube/clock.ts';
import type { EventFacts } from '../../../../../operator/kube/events.ts';
import type { PassOutcome } from '../../../../../operator/kube/work-queue.ts';
import { ROOT_KEY } from '../../../../support/admin-keys.ts';
import type { FakeKubeClock } from '../../../../support/kube-clock.ts';
import { DEFAULTS, INSTALLATION } from '../../plan/builders.ts';

const nothing = (): void => undefined;

export interface ControllerRun {
  /** Recorded so far: reasons, by name of the revision. */
  readonly events: readonly string[];
  readonly outcomes: readonly PassOutcome[];
  readonly acknowledged: Set<string>;
  /** What pods say of bundles in remote stores. */
  readonly said: RemoteWords;
  /** Pods of a service have said something else. */
  readonly changed: (key: string) => void;
}

export interface RemoteWords {
  missing: BundleProblem | null;
  brought: VerifiedBundle | BundleProblem | null;
}

/** Starts it in time that the test moves; it ends with the test. */
export function runController(api: Api, clock: FakeKubeClock): ControllerRun {
  // Calls that are never answered end at their deadline, one after the other in a pass.
  return startController(api, clock, [], () => clock.pass(600_000));
}

/** The same in any time. */
export function startController(
  api: Api,
  clock: KubeClock,
  watchNamespaces: readonly string[],
  patience: () => Promise<void> = () => Promise.resolve(),
): ControllerRun {
  const ending = new AbortController();
  const events: string[] = [];
  const outcomes: PassOutcome[] = [];
  const acknowledged = new Set<string>();
  const metrics: ControllerMetrics = {
    queueMade: nothing,
    kindWatched: nothing,
    passEnded: (_, { outcome }) => outcomes.push(outcome),
    serviceReported: nothing,
    serviceGone: nothing,
    lifecycleDecided: nothing,
    policyPublished: nothing,
    evidencePulled: nothing,
    fleetMade: nothing,
  };
  const deps: ControllerDependencies = {
    ...{ api, readingApi: api, clock, random: () => 0.5, signal: ending.signal, metrics },
    ...{ installation: INSTALLATION, defaults: DEFAULTS, rootKey: ROOT_KEY },
    connections: createPodConnections(ROOT_KEY, clock),
    events: {
      counters: { recorded: 0, written: 0, dropped: 0 },
      record: ({ regarding, reason }: EventFacts) =>
        events.push(`${regarding.metadata.name} ${reason}`),
      settled: () => Promise.resolve(),
    },
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    watchNamespaces,
    writer: 'test',
    ownsNamespace: () => true,
    leaseTransitions: () => 1,
  };
  const caches = createCaches(deps);
  const said: RemoteWords = { missing: null, brought: null };
  const handlers: ((key: string, change: 'Pod') => void)[] = [];
  const controller = createHeadRevisionController(deps, caches, {
    acknowledgedHeads: () => acknowledged,
    missingHeads: () => said.missing,
    remoteBundle: () => said.brought,
    onChange: (handler) => {
      handlers.push(handler);
    },
  });
  const watching = [caches.services, caches.headRevisions].map((watched) => watched.run());
  const synced = Promise.all([caches.services.synced, caches.headRevisions.synced]);
  const working = synced.then(() => controller.run());
  onTestFinished(async () => {
    ending.abort();
    await patience();
    await Promise.all([...watching, working]);
  });
  const changed = (key: string): void => {
    for (const handler of handlers) handler(key, 'Pod');
  };
  return { events, outcomes, acknowledged, said, changed };
}

/** `True Verified`, or null before there is a condition. */
export function availableIn(objects: readonly KubeObject[], name: string): string | null {
  const found = objects.find(({ metadata }) => metadata.name === name);
  const { conditions = [] } = (found?.status ?? {}) as {
    conditions?: { type: string; status: string; reason: string }[];
  };
  const available = conditions.find(({ type }) => type === 'Available');
  return available === undefined ? null : `${available.status} ${available.reason}`;
}
