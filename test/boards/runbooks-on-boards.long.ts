// Runbooks whose diagnosis is on boards, followed in the states that fire their alerts: what a person reads there is the cause.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../operator/clock.ts';
import { systemKubeClock } from '../../operator/kube/clock.ts';
import { createWorkQueue } from '../../operator/kube/work-queue.ts';
import { createMetricRegistry } from '../../operator/metrics.ts';
import { createOperatorMetrics } from '../../operator/operator-metrics.ts';
import { ruleFile } from '../../charts/generate/alerts/rule-groups.ts';
import { Fault } from '../support/faulty-engine/faults.ts';
import { faultyHost } from '../support/faulty-engine/faulty-host.ts';
import { residualServers } from '../support/residual-servers.ts';
import { whenReady } from '../support/served-process.ts';
import { runSwaps } from '../support/swap-run.ts';
import { servePage } from './metric-page-server.ts';
import { playOperator } from './played-operator.ts';
import { prometheusMissing, startPrometheus, type Prometheus } from './prometheus.ts';
import { readRunbook, type RunbookReader } from './runbook-reader.ts';
import type { Interval } from './script-clock.ts';
import { playStates, type Stage } from './scripted-run.ts';

const MINUTE = 60_000;
const BUDGET = 0.01;
/** A rate on a board looks back for ten. */
const SETTLED_SECONDS = 12;
const CONTROLLER = 'cached-model-service';
const nowSeconds = (): number => Date.now() / 1000;

/** Scrapes of one page, as the operator's are. */
async function watchOperator(page: { readonly port: number }): Promise<Prometheus> {
  const labels = { namespace: 'layercache-system', pod: 'operator-0' };
  const prometheus = await startPrometheus(
    [{ job: 'operator', port: page.port, labels }],
    ruleFile(),
  );
  onTestFinished(() => prometheus.close());
  return prometheus;
}

describe.skipIf(prometheusMissing !== null)('a person on call, of servers', () => {
  let stage: Stage;
  let interval: Interval;

  beforeAll(async () => {
    stage = await playStates();
  }, 10 * MINUTE);
  afterAll(() => (stage as Stage | undefined)?.close());

  const reader = (alert: string): RunbookReader => readRunbook(alert, stage.prometheus);
  /** Until rates know nothing of the state before. */
  async function settle(): Promise<void> {
    const from = nowSeconds();
    while (nowSeconds() < from + SETTLED_SECONDS) await stage.clock.pass(1);
  }

  /** Minutes of the script, to be read on the boards. */
  async function lives(act: () => Promise<void>): Promise<void> {
    const from = nowSeconds();
    await act();
    interval = { from, to: nowSeconds() };
  }

  describe('while heads are sure and wrong', () => {
    beforeAll(async () => {
      await lives(() => stage.clock.pass(4, stage.servers.violate));
    }, 10 * MINUTE);

    test.each(['LayercacheBudgetBurnFast', 'LayercacheBudgetBurn', 'LayercacheBudgetBurnSlow'])(
      '%s: the answers differ from the backbone, at which exit, under which lambda',
      async (alert) => {
        const { panel } = reader(alert);
        const disagreement = await panel('Disagreement with the backbone', interval);
        expect(disagreement.get('vision last hour')).toBeGreaterThan(6 * BUDGET);
        const agreement = await panel('Agreement', interval);
        expect(agreement.get('early')).toBeLessThan(0.9);
        const lambda = await panel('Lambda and switch-offs', interval);
        expect(lambda.get('lambda stable')).toBeGreaterThan(0.4);
      },
    );
  });

  test(
    'LayercacheAlarmNotMitigated: which pod still lets exits answer, and that it did not get the policy',
    async () => {
      const { servers, clock } = stage;
      await servers.recover();
      await servers.switchOffOne();
      await clock.pass(1);
      await lives(() => clock.pass(1));
      const { query, panel } = reader('LayercacheAlarmNotMitigated');
      const enabled = await query('max by (pod, exit, track)');
      const on = enabled
        .filter(({ values }) => values[0]![1] === 1)
        .map(({ metric }) => metric.pod);
      expect([...new Set(on)]).toEqual(['vision-1']);
      const revisions = await panel('Policy revision of each pod', interval);
      expect(revisions.get('vision skew')).toBe(1);
      expect(revisions.get('vision-0')).toBe(revisions.get('vision-1')! + 1);
    },
    10 * MINUTE,
  );

  test(
    'LayercacheDisagreementUnmeasured: nothing is chosen, and nothing is lost',
    async () => {
      await stage.servers.audit(0.0001);
      await settle();
      await lives(() => stage.clock.pass(2));
      const { panel } = reader('LayercacheDisagreementUnmeasured');
      const audits = await panel('Audits', interval);
      const made = ['agree', 'disagree'].map((result) => audits.get(result) ?? 0);
      expect(Math.max(...made)).toBeLessThan(0.5);
      const rates = await panel('Audit rate and audits lost', interval);
      expect(rates.get('rate vision-0')).toBeLessThan(0.001);
      expect(rates.get('lost') ?? 0).toBe(0);
    },
    10 * MINUTE,
  );

  test(
    'LayercacheHighErrorRate: by which code, and on one pod or on all',
    async () => {
      const { servers, clock } = stage;
      await lives(async () => {
        await Promise.all([clock.pass(1), servers.stall(1_200, () => servers.hurryOne())]);
      });
      const { query, panel } = reader('LayercacheHighErrorRate');
      const codes = await panel('Answers by code', interval);
      expect([...codes.keys()]).toEqual(expect.arrayContaining(['ok', 'deadline']));
      const failed = (await query('sum by (pod, code)')).filter(
        ({ metric, values }) => metric.code === 'deadline' && values[0]![1] > 0,
      );
      expect(failed.map(({ metric }) => metric.pod)).toEqual(['vision-1']);
    },
    10 * MINUTE,
  );

  test(
    'LayercacheAuditsDropped: the engine dies with them, on which pod',
    async () => {
      const { servers, clock } = stage;
      await servers.audit(1);
      await lives(async () => {
        for (let death = 0; death < 3; death++) {
          await Promise.all([clock.pass(1), servers.stall(300, () => servers.killEngine())]);
        }
      });
      const { query, panel } = reader('LayercacheAuditsDropped');
      const lost = await query('sum by (reason, pod)');
      const causes = lost
        .filter(({ values }) => values[0]![1] > 0)
        .map(({ metric }) => `${String(metric.reason)} ${String(metric.pod)}`);
      expect(causes).toContain('engine vision-1');
      expect((await panel('Depth', interval)).get('audits to come')).toBeDefined();
    },
    10 * MINUTE,
  );

  test(
    'LayercacheSavingsNegative: audits and heads take more than exits avoid',
    async () => {
      await stage.servers.waste();
      await settle();
      await lives(() => stage.clock.pass(3));
      const { panel } = reader('LayercacheSavingsNegative');
      const time = await panel('Engine time, spent and avoided', interval);
      expect(time.get('audit')! + time.get('head')!).toBeGreaterThan(time.get('avoided')!);
      const rates = await panel('Audit rate and audits lost', interval);
      expect(rates.get('rate vision-0')).toBe(1);
      const shares = await panel('Share by exit', interval);
      expect(shares.get('early') ?? 0).toBeLessThan(0.2);
    },
    10 * MINUTE,
  );

  test(
    'LayercacheLatencyHigh: requests wait for the engine, while the process is in time',
    async () => {
      const { servers, clock } = stage;
      await lives(async () => {
        for (let stalls = 0; stalls < 3; stalls++) {
          await Promise.all([clock.pass(1), servers.stall(1_500)]);
        }
      });
      const { panel } = reader('LayercacheLatencyHigh');
      const latency = await panel('Latency by exit', interval);
      const slowest = [...latency]
        .filter(([line]) => line.endsWith('p99'))
        .map(([, value]) => value);
      expect(Math.max(...slowest)).toBeGreaterThan(1);
      const depth = await panel('Depth', interval);
      expect(depth.get('requests in flight')).toBeGreaterThan(0);
      const process = await panel('Event loop and engine restarts', interval);
      expect(process.get('late vision-0')).toBeLessThan(1);
    },
    10 * MINUTE,
  );

  test(
    'LayercacheQueueSaturated: more rows than may wait, on every pod',
    async () => {
      const { servers, clock } = stage;
      await lives(async () => {
        // Answers come when the engine computes again.
        let flooded: Promise<void> = Promise.resolve();
        const flood = (): Promise<void> => {
          flooded = servers.flood();
          return Promise.resolve();
        };
        await Promise.all([clock.pass(1), servers.stall(1_500, flood)]);
        await flooded;
      });
      const { panel } = reader('LayercacheQueueSaturated');
      const depth = await panel('Depth', interval);
      const capacity = depth.get('capacity of a pod')!;
      for (const pod of ['vision-0', 'vision-1']) {
        expect(depth.get(`rows ${pod}`)).toBeGreaterThan(0.8 * capacity);
      }
      const rows = await panel('Rows by exit', interval);
      expect(Math.max(...rows.values())).toBeGreaterThan(10);
      expect((await panel('Wait', interval)).get('p99')).toBeGreaterThan(0.1);
    },
    10 * MINUTE,
  );
});

describe.skipIf(prometheusMissing !== null)('a person on call, of an engine that leaks', () => {
  const start = residualServers();
  test(
    'LayercacheActivationLeak: what it holds rises, and plans do with every swap of heads',
    async () => {
      const host = await faultyHost();
      onTestFinished(() => host.remove());
      for (const [line, fault] of [
        ['activations vision-0', Fault.keepActivations],
        ['plans vision-0', Fault.keepPlans],
      ] as const) {
        const started = start({ LAYERCACHE_ENGINE_THREADS: '2' }, host.program);
        const { metricsPort: port } = await whenReady(started);
        const labels = { namespace: 'ml', pod: 'vision-0' };
        const prometheus = await startPrometheus([{ job: 'models', port, labels }], ruleFile());
        try {
          await prometheus.sees('layercache_engine_plans', MINUTE, 100);
          const before = { from: nowSeconds() - 2, to: nowSeconds() };
          await runSwaps(started, { swaps: 60, fault });
          await prometheus.sees(`min(timestamp(up)) > ${nowSeconds()}`, MINUTE, 100);
          const after = { from: nowSeconds() - 1, to: nowSeconds() };
          const { panel, query } = readRunbook('LayercacheActivationLeak', prometheus);
          const shown = async (interval: Interval): Promise<number> =>
            (await panel('Memory and activations', interval)).get(line) ?? 0;
          expect(await shown(after)).toBeGreaterThan((await shown(before)) + 10);
          const [plans] = await query('layercache_engine_plans');
          if (fault === Fault.keepPlans) expect(plans!.values[0]![1]).toBeGreaterThan(10);
        } finally {
          await prometheus.close();
        }
      }
    },
    10 * MINUTE,
  );
});

describe.skipIf(prometheusMissing !== null)('a person on call, of the operator', () => {
  test(
    'LayercacheNeverCertifies: no lambda passed, and how far the bound is from the budget',
    async () => {
      const operator = await playOperator();
      onTestFinished(() => operator.close());
      const prometheus = await watchOperator(operator.page);
      const from = nowSeconds();
      await operator.fail();
      await prometheus.sees('count_over_time(layercache_certificates_total[1h]) > 2', MINUTE, 100);
      const interval = { from, to: nowSeconds() };
      const { panel, text } = readRunbook('LayercacheNeverCertifies', prometheus);
      const certificates = await panel('Certificates', interval);
      expect([...certificates.keys()]).toContain('vision no_lambda');
      const bound = await panel('Upper bound', interval);
      expect([...bound.keys()]).toEqual(['vision budget']);
      expect(text).toMatch(/describe cachedmodelservice NAME.*the event `NotCertified`/);
      const said = operator.events().find((event) => event.startsWith('NotCertified: '));
      const [, rows, disagreements] = /After ([\d,]+) audited rows .*: ([\d,]+) disagreements/.exec(
        said!,
      )!;
      const countOf = (words: string): number => Number(words.replaceAll(',', ''));
      expect(countOf(disagreements!) / countOf(rows!)).toBeGreaterThan(BUDGET / 2);
    },
    10 * MINUTE,
  );

  test(
    'LayercacheWorkqueueStuck: a pass grows older by a second each second while a worker is busy, and the API server answers',
    async () => {
      const metrics = createOperatorMetrics(createMetricRegistry(), {
        ...{ version: '0.1.0', nodeVersion: process.versions.node },
        clock: systemClock,
      });
      const life = new AbortController();
      const queue = createWorkQueue({
        ...{ clock: systemKubeClock, random: Math.random, signal: life.signal },
      });
      metrics.queueMade(CONTROLLER, queue);
      let release = (): void => undefined;
      const stuck = new Promise<void>((resolve) => (release = resolve));
      const ran = queue.run(async () => {
        await stuck;
        return { kind: 'Done' };
      });
      queue.add('ml/vision');
      const page = await servePage(async () => (await metrics.render()).text);
      onTestFinished(async () => {
        life.abort();
        release();
        await ran;
        await page.close();
      });
      const prometheus = await watchOperator(page);
      await prometheus.sees('workqueue_longest_running_processor_seconds > 12', MINUTE, 200);
      const { panel } = readRunbook('LayercacheWorkqueueStuck', prometheus);
      const at = async (secondsAgo: number): Promise<ReadonlyMap<string, number>> => {
        const to = nowSeconds() - secondsAgo;
        return panel('Longest pass that runs', { from: to - 1, to });
      };
      const [earlier, later] = [await at(6), await at(0)];
      const grown = later.get(CONTROLLER)! - earlier.get(CONTROLLER)!;
      expect(grown).toBeGreaterThan(4);
      expect(later.get(`${CONTROLLER} busy`)).toBe(1);
      const calls = await panel('Calls by code', { from: nowSeconds() - 5, to: nowSeconds() });
      expect([...calls.keys()].filter((line) => line.includes('<error>'))).toEqual([]);
    },
    3 * MINUTE,
  );
});
