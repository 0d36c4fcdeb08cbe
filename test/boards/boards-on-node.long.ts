// The operator and servers of the chart in pods, found and scraped by the chart's own monitors under its own rules, from the install
// through training, certificate, ramp and service to an alarm and killed engines.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BOARDS } from '../../charts/generate/dashboards/boards.ts';
import { SCENARIOS, type Scenario } from '../../charts/generate/dashboards/panel.ts';
import { nodeValues, startChartNode, type ChartNode } from '../cluster/chart/chart-on-node.ts';
import { CHART } from '../unit/charts/helm.ts';
import { expectHelm } from '../cluster/chart/release.ts';
import { startTraffic } from '../cluster/loop/example-traffic.ts';
import { PATIENT_LEASE } from '../cluster/loop/patient-lease.ts';
import type { Traffic } from '../cluster/loop/row-traffic.ts';
import { EXAMPLE_URI } from '../cluster/pods/example-model.ts';
import { isReady, podsBy, readObject } from '../cluster/pods/node-objects.ts';
import { killInPod } from '../cluster/pods/node-processes.ts';
import { storedPolicyOrNull } from '../cluster/pods/stored-policy.ts';
import { whyUnavailable } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { askBoard } from './ask-board.ts';
import { prometheusMissing, type Prometheus } from './prometheus.ts';
import { watchRelease } from './prometheus-on-node.ts';

const unavailable =
  (await whyUnavailable('node')) ?? (await whyUnavailable('kinds')) ?? prometheusMissing;
const MINUTE = 60_000;
const POLL_MS = 500;
const SERVICE = 'vision';
const SERVERS = `layercache.io/service=${SERVICE},app.kubernetes.io/component=server`;

/** What is not played here fills its panels in the scripted run (`boards.long.ts`), where nothing may be empty. */
const NOT_PLAYED: readonly Scenario[] = ['Abort', 'Gpu'];
const PLAYED = SCENARIOS.filter((scenario) => !NOT_PLAYED.includes(scenario));

/** Rows a second, as in the loop (`cluster/loop`): all are recorded; one certificate; a ramp; enough audits for an alarm. */
const COLLECTING_RATE = 48;
const SHADOW_RATE = 8;
const RAMP_RATE = 20;
const SERVING_RATE = 60;

const SPEC = {
  modelName: SERVICE,
  backbone: { uri: EXAMPLE_URI },
  accuracy: { maxDisagreement: '1%' },
  replicas: 2,
  server: { warmup: { iterations: 1 }, drain: { delay: '5s', timeout: '15s' } },
  rollout: {
    minRequests: 50,
    steps: [
      { share: '50%', hold: '30s' },
      { share: '100%', hold: '30s' },
    ],
  },
};

describe.skipIf(unavailable !== null)('pods that are found by the monitors of the chart', () => {
  let chart: ChartNode;
  let prometheus: Prometheus;
  let traffic: Traffic;
  const endings: (() => Promise<unknown>)[] = [];
  let isStuck = false;
  let from = 0;

  beforeAll(async () => {
    chart = await startChartNode({ devices: {} }, true);
    const { node, home, models, kubectl } = chart;
    endings.push(() => node.stop());
    const values = {
      ...nodeValues(models, PATIENT_LEASE),
      metrics: { podMonitor: { enabled: true, interval: '1s' } },
      trainer: {
        resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '2Gi' } },
      },
    };
    const args = ['install', 'demo', CHART, '--wait', '--timeout', '3m'];
    await expectHelm(node, { major: 4, namespace: home, values, args, deadlineMs: 200_000 });
    prometheus = await watchRelease(node, home);
    endings.push(() => prometheus.close());
    from = Date.now() / 1000;
    const service = {
      apiVersion: 'layercache.io/v1alpha1',
      kind: 'CachedModelService',
      metadata: { name: SERVICE },
      spec: SPEC,
    };
    await kubectl(['create', '-f', '-'], { input: JSON.stringify(service) });
    await readyPods();
    const at = { kind: 'Service', namespace: models, name: SERVICE } as const;
    const { spec } = await readObject<{ spec: { clusterIP: string } }>(node, at);
    const endpoint = { host: spec.clusterIP, port: 80 };
    traffic = await startTraffic(node, endpoint, { model: SERVICE, rate: COLLECTING_RATE });
    endings.push(() => traffic.stop());
  }, 15 * MINUTE);
  afterAll(async () => {
    for (const end of endings.toReversed()) await end();
  }, 2 * MINUTE);
  beforeEach((context) => {
    context.skip(isStuck, 'a stage before it was not reached');
  });

  const serverPods = () => podsBy(chart.node, chart.models, SERVERS);
  const readyPods = (): Promise<void> =>
    reaches('two ready pods', 5 * MINUTE, async () => {
      const pods = await serverPods();
      return pods.length === 2 && pods.every(isReady);
    });

  const policy = () => storedPolicyOrNull(chart.node, { namespace: chart.models, name: SERVICE });

  async function reaches(what: string, ms: number, holds: () => Promise<boolean>): Promise<void> {
    try {
      await eventually(async () => {
        if (await holds()) return;
        await pause(POLL_MS);
        throw new Error(what);
      }, ms);
    } catch (error) {
      isStuck = true;
      const service = await chart.kubectl(['get', 'cms', SERVICE, '-o', 'yaml']);
      const events = await chart.kubectl(['get', 'events', '--sort-by=.lastTimestamp']);
      throw new Error(`${what}\n${service}\n${events}`, { cause: error });
    }
  }

  test(
    'traffic leads to heads that are trained, certified, ramped and answer',
    async () => {
      const jobs = async (): Promise<boolean> =>
        (await chart.kubectl(['get', 'jobs', '-o', 'name'])) !== '';
      await reaches('a training', 15 * MINUTE, jobs);
      traffic.rate = SHADOW_RATE;
      const candidate = async () => (await policy())?.candidate ?? null;
      await reaches('a ramp', 30 * MINUTE, async () => (await candidate())?.stage === 'Ramping');
      traffic.rate = RAMP_RATE;
      await reaches('heads in force', 15 * MINUTE, async () => {
        const read = await policy();
        return read?.exitsEnabled === true && read.candidate === null;
      });
      await reaches('early answers', MINUTE, () =>
        Promise.resolve(
          [...traffic.exits].some(([exit, rows]) => exit !== 'backbone' && rows > 50),
        ),
      );
      expect(traffic.failures).toEqual([]);
    },
    60 * MINUTE,
  );

  test(
    'inputs that change raise an alarm',
    async () => {
      const spec = { accuracy: { auditRate: '100%' } };
      await chart.kubectl([
        'patch',
        'cms',
        SERVICE,
        '--type=merge',
        '-p',
        JSON.stringify({ spec }),
      ]);
      traffic.rate = SERVING_RATE;
      traffic.isBlurred = true;
      await reaches('an alarm', 20 * MINUTE, async () => (await policy())?.exitsEnabled === false);
      traffic.rate = RAMP_RATE;
      expect(traffic.failures).toEqual([]);
    },
    25 * MINUTE,
  );

  test(
    'an engine that ends three times fires the alert about it, by the rules that the cluster holds',
    async () => {
      const [pod] = await serverPods();
      for (let death = 1; death <= 3; death++) {
        await reaches('an engine to kill', 2 * MINUTE, async () => {
          const pods = await serverPods();
          return pods.every(isReady) && killInPod(pod!.metadata.uid, 'engine-host.mjs');
        });
        await prometheus.sees(
          `layercache_engine_restarts_total{pod="${pod!.metadata.name}"} >= ${death}`,
          2 * MINUTE,
          POLL_MS,
        );
      }
      const fires = 'ALERTS{alertname="LayercacheEngineRestarting",alertstate="firing"}';
      await prometheus.sees(fires, 3 * MINUTE, POLL_MS);
    },
    10 * MINUTE,
  );

  test.each(BOARDS)(
    'every query of $uid answers, and plausibly, but those about GPUs and a rollout that is taken back',
    async (board) => {
      const interval = { from, to: Date.now() / 1000 };
      expect(await askBoard(board, { prometheus, interval, played: PLAYED })).toEqual([]);
    },
    5 * MINUTE,
  );
});
