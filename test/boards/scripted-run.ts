import { setTimeout as wait } from 'node:timers/promises';
import type { Scenario } from '../../charts/generate/dashboards/panel.ts';
import { ruleFile } from '../../charts/generate/alerts/rule-groups.ts';
import { gpuPage, servePage } from './metric-page-server.ts';
import { playOperator } from './played-operator.ts';
import { playServers } from './played-servers.ts';
import { startPrometheus, STEP_SECONDS, type Prometheus } from './prometheus.ts';

/** Seconds since 1970 between which something was going on. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

export interface ScriptedRun {
  readonly prometheus: Prometheus;
  readonly intervals: Readonly<Record<Scenario, Interval>>;
  /** Alerts that fired at any time, without the prefix. */
  readonly fired: readonly string[];
  close(): Promise<void>;
}

const SERVICE = { namespace: 'ml', model: 'vision' };
const nowSeconds = (): number => Date.now() / 1000;

/** Minutes of the rules in this run. */
const MINUTE_SECONDS = 2;
/** Between heads that are wrong. */
const SWAP_MS = 400;
/** Of each step, on a machine that does many other things. */
const PATIENCE_MS = 60_000;

/**
 * Two servers and the operators of one service through everything that boards show, scraped each second by a real Prometheus
 * with the chart's rules thirty times as fast. Each step waits until Prometheus has seen it. One operator leads until its rollout
 * is taken back and its pod ends; its successor brings heads into force, and meets an alarm.
 */
export async function playRun(): Promise<ScriptedRun> {
  const servers = await playServers(SERVICE.model);
  const [first, second] = await Promise.all([playOperator(), playOperator()]);
  const gpu = await servePage(() => gpuPage(`namespace="${SERVICE.namespace}",pod="vision-0"`));
  const prometheus = await startPrometheus(
    [
      ...servers.metricPorts.map((port, i) => ({
        ...{ job: 'models', port },
        labels: { namespace: SERVICE.namespace, pod: `vision-${i}` },
      })),
      ...[first, second].map(({ page }, i) => ({
        ...{ job: 'operator', port: page.port },
        labels: { namespace: 'layercache-system', pod: `operator-${i}` },
      })),
      { job: 'dcgm-exporter', port: gpu.port, labels: {} },
    ],
    ruleFile(MINUTE_SECONDS),
  );
  const sees = (expr: string): Promise<void> => prometheus.sees(expr, PATIENCE_MS);
  const fires = (name: string): Promise<void> =>
    sees(`ALERTS{alertname="Layercache${name}",alertstate="firing"}`);
  const intervals: Partial<Record<Scenario, Interval>> = {};
  const during = async (scenario: Scenario, act: () => Promise<void>): Promise<void> => {
    const from = nowSeconds();
    await act();
    // What was seen last may lie behind the last step; one more has it.
    intervals[scenario] = { from, to: nowSeconds() + STEP_SECONDS };
  };
  const close = async (): Promise<void> => {
    await prometheus.close();
    await Promise.all([servers, first, second, gpu].map((one) => one.close()));
  };

  async function lead(): Promise<void> {
    await first.ramp();
    await sees('layercache_service_state{state="ramping"} == 1');
    await first.abort();
    await fires('RolloutAborted');
    await first.close();
  }

  async function serve(): Promise<void> {
    await servers.shadow();
    await sees('DCGM_FI_DEV_GPU_UTIL');
    await during('Exits', async () => {
      await servers.serve();
      await sees('sum(increase(layercache_audits_total{exit="early"}[20s])) > 30');
      await sees('sum(increase(layercache_audits_total{exit="late"}[20s])) > 10');
    });
    await servers.refuse();
    await sees('sum(increase(layercache_requests_total{code="malformed_json"}[20s])) > 0');
  }

  async function ramp(): Promise<void> {
    await servers.ramp();
    await servers.pushBadPolicies();
    await second.ramp();
    await sees('layercache_service_state{state="ramping",pod="operator-1"} == 1');
    await sees('sum(increase(layercache_audits_total{track="candidate",exit="late"}[20s])) > 10');
    await second.promote();
    await sees('layercache_service_state{state="serving"} == 1');
  }

  async function meetTrouble(): Promise<void> {
    await during('Violation', async () => {
      const isOver = fires('BudgetBurnFast').then(() => true);
      while (!(await Promise.race([isOver, wait(SWAP_MS).then(() => false)])))
        await servers.violate();
    });
    await during('Alarm', async () => {
      // The servers' own breakers may have switched exits off already.
      await servers.recover();
      await sees('layercache_lambda_ratio');
      await second.alarm();
      await sees('sum(increase(layercache_alarms_total[2m])) > 0');
      await servers.switchOff();
      await sees('sum(increase(layercache_exits_switched_off_total{cause="policy"}[20s])) > 0');
    });
    for (let death = 1; death <= 4; death++) {
      await servers.killEngine();
      await sees(`sum(layercache_engine_restarts_total{pod="vision-1"}) == ${death}`);
    }
    await fires('EngineRestarting');
    await sees(
      'max_over_time(ALERTS{alertname="LayercachePolicyRejected",alertstate="firing"}[10m])',
    );
  }

  try {
    await during('Always', async () => {
      await Promise.all([lead(), serve()]);
      await during('Ramp', ramp);
      await meetTrouble();
    });
    const always = intervals.Always!;
    intervals.Alerts = always;
    intervals.Gpu = always;
    const alerts = await prometheus.range('ALERTS{alertstate="firing"}', always.from, always.to);
    const fired = alerts.map(({ metric }) => String(metric.alertname).replace('Layercache', ''));
    return {
      prometheus,
      intervals: intervals as Record<Scenario, Interval>,
      fired: [...new Set(fired)].sort(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
