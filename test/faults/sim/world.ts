// A cluster with one service's worth of everything around the operator: users, the Deployment controller, kubelets, pods that
// answer on their admin ports, and operator processes that come and go. Time moves only when a test says so.
import { createControllers } from '../../../operator/controllers/create-controllers.ts';
import type {
  ControllerDependencies,
  ControllerLog,
  ControllerMetrics,
} from '../../../operator/controllers/dependencies.ts';
import type { FleetPod } from '../../../operator/fleet/fleet-pod.ts';
import { createEventRecorder } from '../../../operator/kube/events.ts';
import { SILENT, type FakePod } from '../../support/fake-pod.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../support/kube-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import {
  createSimulatedCluster,
  type SimulatedClient,
  type SimulatedCluster,
} from '../../support/simulated-api.ts';
import type { Faults } from '../../support/simulated-api-faults.ts';
import type { Validate } from '../../support/simulated-api-store.ts';
import { ROOT_KEY } from '../../support/admin-keys.ts';
import { DEFAULTS, INSTALLATION } from '../../unit/operator/plan/builders.ts';
import { runDeployments, type Stuck } from './deployment-actor.ts';

export const NAMESPACE = 'ml';

/** One operator process. */
export interface Process {
  readonly name: string;
  readonly client: SimulatedClient;
  /** As if killed: nothing of it goes on. */
  kill(): void;
  /** What its broken invariants said; empty in a sound process. */
  readonly crashes: readonly unknown[];
}

export interface World {
  readonly clock: FakeKubeClock;
  readonly cluster: SimulatedCluster;
  /** A person with kubectl. */
  readonly user: SimulatedClient;
  /** By UID. */
  readonly pods: Map<string, FakePod>;
  startOperator(options?: {
    readonly faults?: Faults;
    readonly seed?: number;
    readonly deps?: Partial<ControllerDependencies>;
  }): Process;
  pass(ms: number): Promise<void>;
  /** Ends everything that waits for the clock. */
  close(): void;
}

const STEP_MS = 500;

export interface WorldOptions {
  readonly validate?: Validate;
  /** @defaultValue null: pods become ready */
  readonly stuck?: Stuck | null;
}

export function createWorld({ stuck = null, ...options }: WorldOptions = {}): World {
  const clock = fakeKubeClock();
  const cluster = createSimulatedCluster({ clock, ...options });
  cluster.addNamespace(NAMESPACE);
  const pods = new Map<string, FakePod>();
  const controllers = cluster.client('deployment-controller');
  const processes: Process[] = [];
  let seenCalls = -1;
  return {
    clock,
    cluster,
    pods,
    user: cluster.client('user'),
    startOperator: (how = {}) => {
      const name = `operator-${processes.length + 1}`;
      const process = startProcess({ clock, cluster, pods, name }, how);
      processes.push(process);
      return process;
    },
    pass: async (ms) => {
      for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
        // Without a call nothing has changed that it acts on, and looking costs a copy of everything.
        if (cluster.calls.length !== seenCalls || stuck !== null) {
          await runDeployments({ client: controllers, cluster, pods, clock, stuck });
          seenCalls = cluster.calls.length;
        }
        await clock.pass(Math.min(STEP_MS, ms - passedMs));
      }
    },
    close: () => {
      for (const process of processes) process.kill();
    },
  };
}

interface Surroundings {
  readonly clock: FakeKubeClock;
  readonly cluster: SimulatedCluster;
  readonly pods: ReadonlyMap<string, FakePod>;
  readonly name: string;
}

function startProcess(
  { clock, cluster, pods, name }: Surroundings,
  how: NonNullable<Parameters<World['startOperator']>[0]>,
): Process {
  const client = cluster.client(name, how.faults);
  const life = new AbortController();
  const { signal } = life;
  const crashes: unknown[] = [];
  const generator = seededRandom(how.seed ?? 1);
  const random = (): number => generator.uniform();
  const events = createEventRecorder({
    ...{ api: client, clock, random, signal },
    controller: 'layercache.io/operator',
    instance: name,
  });
  const controllers = createControllers({
    ...{ api: client, readingApi: client, clock, random, signal, events },
    installation: INSTALLATION,
    defaults: DEFAULTS,
    rootKey: ROOT_KEY,
    connections: { open: (_, pod) => openClient(pods, pod) },
    metrics: NO_METRICS,
    log: NO_LOG,
    watchNamespaces: [],
    writer: name,
    ownsNamespace: () => true,
    leaseTransitions: () => 0,
    ...how.deps,
  });
  controllers.run().catch((error: unknown) => crashes.push(error));
  return {
    name,
    client,
    crashes,
    kill: () => {
      client.crash();
      life.abort();
    },
  };
}

function openClient(
  pods: ReadonlyMap<string, FakePod>,
  { uid }: FleetPod,
): ReturnType<FakePod['client']> {
  return (
    pods.get(uid)?.client() ?? {
      baseUrl: '',
      call: () => Promise.resolve(SILENT),
      close: () => undefined,
    }
  );
}

const NOTHING = (): void => undefined;
export const NO_LOG: ControllerLog = {
  debug: NOTHING,
  info: NOTHING,
  warn: NOTHING,
  error: NOTHING,
};
export const NO_METRICS: ControllerMetrics = {
  queueMade: NOTHING,
  kindWatched: NOTHING,
  passEnded: NOTHING,
  serviceReported: NOTHING,
  lifecycleDecided: NOTHING,
  serviceGone: NOTHING,
  policyPublished: NOTHING,
  evidencePulled: NOTHING,
  fleetMade: NOTHING,
};
