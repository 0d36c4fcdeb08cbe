import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import type { OperatorConfig } from './config.ts';
import { createControllers } from './controllers/create-controllers.ts';
import type { ControllerDependencies } from './controllers/dependencies.ts';
import { createPodConnections } from './fleet/pod-connections.ts';
import { loadRootKey } from './identity-secret.ts';
import type { Api } from './kube/api.ts';
import { ApiStatusError } from './kube/api-status-error.ts';
import { createClient } from './kube/client.ts';
import { sleep, type KubeClock } from './kube/clock.ts';
import type { ClusterAccess } from './kube/cluster-access.ts';
import { createEventRecorder } from './kube/events.ts';
import { guardWrites } from './kube/intercept-api.ts';
import { createLeaseElector, type ElectionEnd } from './kube/lease-elector.ts';
import { createTokenBucket } from './kube/token-bucket.ts';
import { leadAccess } from './lead-access.ts';
import { meterAccess, meterApi } from './metered.ts';
import type { OperatorMetrics } from './operator-metrics.ts';
import { allLeaseNames, leaseNames } from './plan/lease-names.ts';
import { electShard, type Candidacy } from './shards/elect-shard.ts';
import { SHARDS_ANNOTATION, waitForOtherLayouts } from './shards/other-layout.ts';
import { ownsBy } from './shards/shard-of.ts';

export interface OperatorDependencies {
  readonly config: OperatorConfig;
  readonly access: ClusterAccess;
  readonly clock: KubeClock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  /** New in every process. */
  readonly identity: string;
}

export interface Operator {
  /** What keeps this process from its work; null when it leads with full caches, or stands by. */
  whyNotReady(): string | null;
  /**
   * Stands by until it leads, then works until `stop` or until the Lease is lost: then the process has to exit at once.
   * Rejects on a broken invariant and on an identity that cannot be used.
   */
  run(): Promise<ElectionEnd>;
  /** Ends the passes at work, then gives the Lease back. */
  stop(): void;
  readonly isStopping: boolean;
}

const IDENTITY_RETRY_MS = 2_000;
const REPORTER = 'layercache.io/operator';

export function createOperator(deps: OperatorDependencies): Operator {
  const { config, clock, random, log, metrics, identity } = deps;
  const { installation, lease, shards } = config;
  const working = new AbortController();
  const leading = new AbortController();
  // Every reflector, queue and wait listens.
  setMaxListeners(0, working.signal, leading.signal);
  const access = meterAccess(deps.access, metrics);
  // Renewals have a budget of their own: they must not wait behind a relist.
  const leaseApi = createClient({ access, clock, budget: null });
  const elector = electShard(leaseNames(lease.name, shards).map(stand));
  const isLeading = (): boolean => elector.isLeading();
  /** Leads, and lets operators of another number of shards end first. */
  let isWaiting = true;
  let isSynced = false;

  /** For the Lease of one shard. */
  function stand(name: string): Candidacy {
    const standing = new AbortController();
    const candidate = createLeaseElector({
      ...{ api: leaseApi, clock, random, identity, namespace: installation.namespace },
      ...{ ...lease, name, annotations: { [SHARDS_ANNOTATION]: String(shards) } },
      signal: AbortSignal.any([leading.signal, standing.signal]),
      onProblem: (err) => {
        log.warn({ component: 'elector', lease: name, err }, 'lease not read or written');
      },
    });
    metrics.followLease(name, () => candidate.isLeading());
    return {
      elector: candidate,
      withdraw: () => {
        standing.abort();
      },
    };
  }

  /** Operators of another number of shards end first: they divide namespaces otherwise. */
  async function waitForOthers(): Promise<void> {
    await waitForOtherLayouts({
      ...{ api: leaseApi, clock, signal: working.signal, namespace: installation.namespace },
      ...{ leases: allLeaseNames(lease.name), shards },
      ...{ leaseMs: lease.leaseMs, retryMs: lease.retryMs },
      onWait: (why) => {
        if (why instanceof ApiStatusError) {
          log.warn({ component: 'elector', err: why }, 'leases of other shards not read');
        } else {
          log.info(
            { component: 'elector', ...why },
            'an operator of another number of shards leads',
          );
        }
      },
    });
  }

  /** What a leader works with: nothing of it sends a byte once leadership ended. */
  async function dependencies(): Promise<ControllerDependencies> {
    const client = createClient({
      access: leadAccess(access, isLeading),
      clock,
      budget: createTokenBucket({ clock, ...config.apiBudget }),
    });
    const api = guardWrites(meterApi(client, metrics), isLeading);
    const events = createEventRecorder({
      ...{ api, clock, random, signal: leading.signal },
      ...{ controller: REPORTER, instance: identity },
    });
    metrics.followEvents(events.counters);
    const rootKey = await rootKeyOf(api);
    return {
      ...{ api, readingApi: api, clock, random, signal: working.signal, events, metrics, log },
      ...{ installation, defaults: config.defaults, watchNamespaces: config.watchNamespaces },
      ownsNamespace: ownsBy(elector.shard ?? 0, shards),
      concurrency: config.concurrency,
      rootKey,
      connections: createPodConnections(rootKey, clock),
      writer: identity,
      leaseTransitions: () => elector.transitions,
    };
  }

  /** Nothing can be done without it, so it is asked for until it is there; a wrong one ends the process. */
  async function rootKeyOf(api: Api): Promise<Uint8Array> {
    for (;;) {
      try {
        return await loadRootKey(api, installation);
      } catch (error) {
        if (!(error instanceof ApiStatusError) || working.signal.aborted) throw error;
        log.warn({ component: 'identity', err: error }, 'identity not read or made');
        await sleep(clock, IDENTITY_RETRY_MS, working.signal);
      }
    }
  }

  async function work(): Promise<void> {
    await waitForOthers();
    isWaiting = false;
    if (working.signal.aborted) return;
    log.info({ component: 'elector', identity, shard: elector.shard, shards }, 'leading');
    const ready = await dependencies();
    const controllers = createControllers(ready);
    void controllers.synced.then(() => {
      isSynced = true;
      if (!working.signal.aborted) log.info({ component: 'caches' }, 'caches full');
    });
    await controllers.run();
    await ready.events.settled();
  }

  /** Passes at work end or get no more time; then the Lease is free for the next. */
  async function drain(worked: Promise<void>): Promise<void> {
    const patience = new AbortController();
    await Promise.race([
      worked,
      waitFor(working.signal).then(() => sleep(clock, config.shutdownTimeoutMs, patience.signal)),
    ]);
    patience.abort();
    leading.abort();
  }

  return {
    whyNotReady: () => {
      if (working.signal.aborted) return 'This process is ending.';
      // Ready while it waits: a rolling update ends the others only then.
      if (!isLeading() || isWaiting) {
        return elector.holder === '' ? 'The Lease has not been read yet.' : null;
      }
      return isSynced ? null : 'The caches are not full yet.';
    },
    run: async () => {
      const election = elector.run();
      void waitFor(working.signal).then(() => {
        // One that does not lead has nothing to end.
        if (!isLeading()) leading.abort();
      });
      const isElected = await elector.elected;
      if (!isElected) return election;
      // Whatever comes first: after a loss nothing is waited for.
      const drained = drain(work()).then(() => election);
      return Promise.race([election, drained]);
    },
    stop: () => {
      working.abort();
    },
    get isStopping() {
      return working.signal.aborted;
    },
  };
}

function waitFor(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
