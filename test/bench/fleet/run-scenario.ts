import { setTimeout as wait } from 'node:timers/promises';
import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import { systemClock } from '../../../server/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { bringHeads } from './bring-heads.ts';
import { expectPolicies, type PolicyWanted } from './expect-policies.ts';
import {
  OPERATOR_NAMESPACE,
  mergePatch,
  post,
  servicePath,
  servicesPath,
  startFleetCluster,
  type FleetCluster,
} from './fleet-cluster.ts';
import { fleetService, type FleetSize, type ServiceRef } from './fleet-objects.ts';
import { startFleetOperator, type FleetOperator } from './fleet-operator.ts';
import { meterProcesses, type ProcessMeter } from './process-meter.ts';
import { quantile } from '../median.ts';
import { startFleetProcesses, type FleetProcesses } from './simulated-fleet-processes.ts';
import { callsBetween, NO_CALLS, writesOf, type StageResult } from './stage-result.ts';

export interface ScenarioOptions extends FleetSize {
  /** Changes of one service whose time is taken. */
  readonly changes: number;
  readonly restSeconds: number;
  /** Where logs and profiles go. */
  readonly folder: string;
  readonly isProfiled: boolean;
  /** Certifies heads of all services and lets some drift: ten minutes more. */
  readonly withHeads: boolean;
  readonly operatorEnvironment: Readonly<Record<string, string>>;
  readonly onStage: (result: StageResult) => void;
}

const LONG_MS = 1_800_000;
/** A thousand services whose heads are all tested at once take an operator more than half an hour on two cores that all share. */
const EVER_MS = 7_200_000;
const SETTLED_MS = 10_000;
const LOOK_MS = 250;
/** On a machine that does other work too a leader is slow, not gone. */
const PATIENT_LEASE = {
  LAYERCACHE_LEASE_DURATION: '90s',
  LAYERCACHE_LEASE_RENEW_DEADLINE: '80s',
};
/** Of each pod: ten of them give a certificate its audits while it waits for its blocks. */
const TRAFFIC = { rowsPerSecond: 2, windowSeconds: 10 };

const LEASE_PATH = `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases/fleet-operator`;

/** The life of a fleet, stage by stage. */
export async function runScenario(options: ScenarioOptions): Promise<StageResult[]> {
  const cluster = await startFleetCluster(options);
  try {
    const fleet = await startFleetProcesses(
      cluster.kubeconfigPath,
      options.services * options.pods,
    );
    try {
      return await new Scenario(options, cluster, fleet).run();
    } finally {
      await fleet.stop();
    }
  } finally {
    await cluster.cluster.stop();
  }
}

interface ToldService {
  readonly metadata: { readonly generation?: number };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

interface Measured {
  readonly figures?: Readonly<Record<string, number>>;
}

class Scenario {
  readonly #options: ScenarioOptions;
  readonly #cluster: FleetCluster;
  readonly #fleet: FleetProcesses;
  readonly #results: StageResult[] = [];
  readonly #meter: ProcessMeter;
  #operator: FleetOperator | null = null;
  #operators = 0;
  #marker = 1_000;

  constructor(options: ScenarioOptions, cluster: FleetCluster, fleet: FleetProcesses) {
    this.#options = options;
    this.#cluster = cluster;
    this.#fleet = fleet;
    this.#meter = meterProcesses(
      {
        operator: () => (this.#operator === null ? [] : [this.#operator.pid]),
        pods: () => fleet.pids,
      },
      () => systemClock.monotonicMs(),
    );
  }

  async run(): Promise<StageResult[]> {
    try {
      await this.#stage('start', () => this.#startOperator());
      await this.#stage('create', () => this.#create());
      await this.#stage('settle', () => this.#settle());
      await this.#stage('rest', () => this.#rest());
      await this.#stage('change one', () => this.#changeOne());
      await this.#stage('change all', () => this.#changeAll());
      if (this.#options.services === 1) {
        await this.#stage('change without pushes', () => this.#changeByMount());
      }
      if (this.#options.withHeads) {
        await this.#stage('certify all', () => this.#putInForce(1));
        await this.#stage('busy', () => this.#rest());
        await this.#stage('roll heads on all', () => this.#putInForce(2));
        await this.#stage('drift on 1 %', () => this.#drift());
      }
      // What was on its way when the first one ended is not what the next one costs.
      await this.#stage('settle changes', () => this.#settle());
      await this.#stage('operator restart', () => this.#restartOperator());
      await this.#stage('settle again', () => this.#settle());
      await this.#stage('API server restart', () => this.#restartApiServer());
      await this.#stage('delete', () => this.#delete());
      return this.#results;
    } finally {
      this.#meter.stop();
      await this.#operator?.stop();
    }
  }

  async #stage(stage: string, work: () => Promise<Measured>): Promise<void> {
    this.#meter.read();
    await this.#fleet.report();
    const before = await this.#counters();
    const operator = this.#operator;
    const restartsBefore = operator?.restarts ?? 0;
    // Without its pods a fleet never comes to anything. What a stage cost that came to nothing says why.
    const [outcome] = await Promise.allSettled([Promise.race([work(), this.#fleet.ended])]);
    const isDone = outcome.status === 'fulfilled';
    const { figures = {} } = isDone ? outcome.value : {};
    const restarts = (operator?.restarts ?? 0) - restartsBefore;
    const usage = this.#meter.read();
    const { evidenceLagMs, ...pods } = await this.#fleet.report();
    const after = await this.#counters();
    const result: StageResult = {
      stage: isDone ? stage : `${stage}, not finished`,
      usage,
      operator: callsBetween(before, after),
      pods,
      // One that lost its Lease on a busy machine: what the stage took is not what it takes.
      figures: {
        ...figures,
        ...lagOf(evidenceLagMs),
        ...(restarts === 0 ? {} : { operatorRestarts: restarts }),
      },
    };
    this.#results.push(result);
    this.#options.onStage(result);
    if (!isDone) throw outcome.reason;
  }

  #counters(): ReturnType<FleetOperator['metrics']> {
    return this.#operator === null ? Promise.resolve(NO_CALLS) : this.#operator.metrics();
  }

  async #startOperator(): Promise<Measured> {
    const { folder, isProfiled, operatorEnvironment } = this.#options;
    this.#operators += 1;
    const environment = { ...operatorEnvironment, ...PATIENT_LEASE };
    this.#operator = await startFleetOperator({
      kubeconfigPath: this.#cluster.kubeconfigPath,
      namespace: OPERATOR_NAMESPACE,
      name: `operator-${this.#operators}`,
      ...{ folder, isProfiled, environment },
    });
    await this.#operator.ready(120_000);
    return {};
  }

  #expect(wanted: Partial<PolicyWanted> & Pick<PolicyWanted, 'holds'>): {
    readonly done: Promise<ReadonlyMap<string, number>>;
  } {
    const services = this.#cluster.services.map(keyOf);
    return expectPolicies(this.#fleet, {
      ...{ services, pods: this.#options.pods, deadlineMs: EVER_MS },
      ...wanted,
    });
  }

  async #create(): Promise<Measured> {
    const { services } = this.#cluster;
    const startedMs = systemClock.nowMs();
    const { done } = this.#expect({ holds: () => true });
    const calls = services.map((one) =>
      post(servicesPath(one.namespace), fleetService(one, this.#options.pods)),
    );
    await this.#cluster.all(calls);
    const createdMs = systemClock.nowMs();
    const doneMs = [...(await done).values()].map((atMs) => (atMs - startedMs) / 1_000);
    return {
      figures: {
        createdSeconds: (createdMs - startedMs) / 1_000,
        ...spread('acknowledged', doneMs),
      },
    };
  }

  /** Until the operator has written nothing for a while. */
  async #settle(): Promise<Measured> {
    const writes = async (): Promise<number> => writesOf((await this.#counters()).apiCalls);
    let seen = { count: await writes(), atMs: systemClock.monotonicMs() };
    await eventually(async () => {
      await wait(1_000);
      const count = await writes();
      if (count !== seen.count) seen = { count, atMs: systemClock.monotonicMs() };
      if (systemClock.monotonicMs() - seen.atMs < SETTLED_MS) throw new Error('it still writes');
    }, LONG_MS);
    return {};
  }

  async #rest(): Promise<Measured> {
    await wait(this.#options.restSeconds * 1_000);
    return {};
  }

  async #changeOne(): Promise<Measured> {
    const { services } = this.#cluster;
    const tookMs: number[] = [];
    for (let i = 0; i < this.#options.changes; i++) {
      const one = services[(i * 37) % services.length]!;
      const startedMs = systemClock.nowMs();
      const doneMs = await this.#changeLimit([one]);
      tookMs.push(Math.max(...doneMs.values()) - startedMs);
    }
    return { figures: spread('changeMs', tookMs) };
  }

  async #changeAll(): Promise<Measured> {
    const startedMs = systemClock.nowMs();
    const doneMs = await this.#changeLimit(this.#cluster.services);
    const seconds = [...doneMs.values()].map((atMs) => (atMs - startedMs) / 1_000);
    return { figures: spread('acknowledged', seconds) };
  }

  /** Pods hear of it from the ConfigMap alone: until each has it, and until the operator has heard so from each. */
  async #changeByMount(): Promise<Measured> {
    const { services } = this.#cluster;
    this.#fleet.dropPushes(true);
    const startedMs = systemClock.nowMs();
    const doneMs = await this.#changeLimit(services);
    for (const one of services) await eventually(() => this.#expectAcknowledged(one), LONG_MS);
    const toldMs = systemClock.nowMs();
    this.#fleet.dropPushes(false);
    return {
      figures: {
        mountedSeconds: (Math.max(...doneMs.values()) - startedMs) / 1_000,
        toldSeconds: (toldMs - startedMs) / 1_000,
      },
    };
  }

  /** Throws until its status says of the newest spec that the policy is in force on all pods. */
  async #expectAcknowledged(service: ServiceRef): Promise<void> {
    await wait(LOOK_MS);
    const { body } = await this.#cluster.cluster.request({ path: servicePath(service) });
    const { metadata, status } = body as ToldService;
    const told = status?.conditions?.find(({ type }) => type === 'PolicyApplied');
    if (told?.status === 'True' && told.observedGeneration === metadata.generation) return;
    throw new Error(`its policy is not everywhere: ${told?.message ?? 'nothing is said of it'}`);
  }

  /** A hot field, so no pod is replaced. */
  async #changeLimit(services: readonly ServiceRef[]): Promise<ReadonlyMap<string, number>> {
    this.#marker += 1;
    const maxQueueLength = this.#marker;
    const { done } = this.#expect({
      services: services.map(keyOf),
      holds: (applied) => applied.maxQueueLength === maxQueueLength,
    });
    const calls = services.map((one) =>
      mergePatch(servicePath(one), { spec: { server: { batching: { maxQueueLength } } } }),
    );
    await this.#cluster.all(calls);
    return done;
  }

  /** Heads brought by people, certified on traffic, then in force with their exits on all pods. */
  async #putInForce(mark: number): Promise<Measured> {
    this.#fleet.traffic({ ...TRAFFIC, drifting: [] });
    const startedMs = systemClock.nowMs();
    const wanted = { digest: '' };
    const { done } = this.#expect({
      holds: ({ stable, exitsEnabled }) => exitsEnabled && stable === wanted.digest,
    });
    wanted.digest = await bringHeads(this.#cluster, mark);
    const seconds = [...(await done).values()].map((atMs) => (atMs - startedMs) / 1_000);
    return { figures: spread('inForce', seconds) };
  }

  /** Rows of one service of a hundred are wrong more often: until its exits are off. */
  async #drift(): Promise<Measured> {
    const drifting = this.#cluster.services.filter((_, i) => i % 100 === 0).map(keyOf);
    const startedMs = systemClock.nowMs();
    const { done } = this.#expect({
      services: drifting,
      holds: ({ exitsEnabled }) => !exitsEnabled,
    });
    this.#fleet.traffic({ ...TRAFFIC, drifting });
    const seconds = [...(await done).values()].map((atMs) => (atMs - startedMs) / 1_000);
    this.#fleet.traffic({ ...TRAFFIC, rowsPerSecond: 0, drifting: [] });
    return { figures: spread('exitsOff', seconds) };
  }

  /** Killed at its work, until the next one has asked each pod; from where the next one may lead, since how long it waits for the Lease is a setting. */
  async #restartOperator(): Promise<Measured> {
    await this.#operator?.kill();
    await this.#cluster.cluster.request({ method: 'DELETE', path: LEASE_PATH });
    const startedMs = systemClock.nowMs();
    await this.#startOperator();
    const readyMs = systemClock.nowMs();
    await eventually(async () => {
      await wait(LOOK_MS);
      const count = (await this.#operator?.reported()) ?? 0;
      if (count < this.#options.services) throw new Error(`it knows the pods of ${count} services`);
    }, LONG_MS);
    const caughtUpMs = systemClock.nowMs();
    return {
      figures: {
        readySeconds: (readyMs - startedMs) / 1_000,
        caughtUpSeconds: (caughtUpMs - startedMs) / 1_000,
      },
    };
  }

  async #restartApiServer(): Promise<Measured> {
    const { cluster } = this.#cluster;
    const startedMs = systemClock.nowMs();
    await cluster.kill('apiserver');
    await cluster.start('apiserver');
    const readyMs = systemClock.nowMs();
    const [one] = this.#cluster.services;
    await this.#changeLimit(one === undefined ? [] : [one]);
    const changedMs = systemClock.nowMs();
    // What follows a restart comes within the longest back-off of a watch.
    await wait(this.#options.restSeconds * 1_000);
    return {
      figures: {
        answersSeconds: (readyMs - startedMs) / 1_000,
        changeAcknowledgedSeconds: (changedMs - readyMs) / 1_000,
      },
    };
  }

  async #delete(): Promise<Measured> {
    const { services, cluster } = this.#cluster;
    const startedMs = systemClock.nowMs();
    await this.#cluster.all(services.map((one) => ({ method: 'DELETE', path: servicePath(one) })));
    const deletedMs = systemClock.nowMs();
    await eventually(async () => {
      const { body } = await cluster.request({ path: '/api/v1/pods?limit=1' });
      if ((body as { readonly items: readonly unknown[] }).items.length > 0) {
        await wait(500);
        throw new Error('there are pods left');
      }
    }, LONG_MS);
    const figures = {
      deletedSeconds: (deletedMs - startedMs) / 1_000,
      goneSeconds: (systemClock.nowMs() - startedMs) / 1_000,
    };
    return { figures };
  }
}

function keyOf({ namespace, name }: ServiceRef): string {
  return `${namespace}/${name}`;
}

function lagOf(evidenceLagMs: readonly number[]): Readonly<Record<string, number>> {
  if (evidenceLagMs.length === 0) return {};
  return {
    evidenceLagP50Ms: quantile(evidenceLagMs, 0.5),
    evidenceLagP99Ms: quantile(evidenceLagMs, 0.99),
  };
}

function spread(name: string, values: readonly number[]): Record<string, number> {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    [`${name}P50`]: quantile(sorted, 0.5),
    [`${name}P99`]: quantile(sorted, 0.99),
    [`${name}Max`]: sorted.at(-1) ?? 0,
  };
}
