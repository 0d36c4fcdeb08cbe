import type { Scenario } from '../../charts/generate/dashboards/panel.ts';
import { ruleFile } from '../../charts/generate/alerts/rule-groups.ts';
import { gpuPage, servePage } from './metric-page-server.ts';
import { playOperator } from './played-operator.ts';
import { playServers, type PlayedServers } from './played-servers.ts';
import { startPrometheus, type Prometheus, type ScrapeTarget } from './prometheus.ts';
import { createScriptClock, type Interval, type ScriptClock } from './script-clock.ts';

export interface ScriptedRun {
  readonly prometheus: Prometheus;
  readonly intervals: Readonly<Record<Scenario, Interval>>;
  readonly minutes: ScriptClock['minutes'];
  close(): Promise<void>;
}

const SERVICE = { namespace: 'ml', model: 'vision' };

/** Minutes of the rules that the running Prometheus has: what it says of alerts is drawn, not judged. */
const MINUTE_SECONDS = 1;

/**
 * Two servers and the operators of one service through everything that boards show, scraped each second by a real Prometheus. The
 * script counts minutes of its own, so what alerts say of it does not depend on the speed of the machine. One operator leads until
 * its rollout is taken back and its pod ends; its successor brings heads into force, and meets an alarm.
 */
export async function playRun(): Promise<ScriptedRun> {
  const servers = await playServers(SERVICE.model);
  const [first, second] = await Promise.all([playOperator(), playOperator()]);
  const gpu = await servePage(() => gpuPage(`namespace="${SERVICE.namespace}",pod="vision-0"`));
  await servers.train();
  const prometheus = await startPrometheus(
    [
      ...targetsOf(servers),
      ...[first, second].map(({ page }, i) => ({
        ...{ job: 'operator', port: page.port },
        labels: { namespace: 'layercache-system', pod: `operator-${i}` },
      })),
      { job: 'dcgm-exporter', port: gpu.port, labels: {} },
    ],
    ruleFile(MINUTE_SECONDS),
  );
  const { pass, during, intervals, minutes } = createScriptClock(prometheus, servers.minute);
  const close = async (): Promise<void> => {
    await prometheus.close();
    await Promise.all([servers, first, second, gpu].map((one) => one.close()));
  };

  /** A rollout is taken back before exits answer anybody. */
  async function abort(): Promise<void> {
    await servers.shadow();
    await first.ramp();
    await pass(2);
    await first.abort();
    await pass(2);
    await first.close();
    await pass(4);
  }

  async function serve(): Promise<void> {
    await during('Exits', async () => {
      await servers.serve();
      await pass(8);
    });
    await servers.refuse();
    await pass(1);
  }

  async function rollOut(): Promise<void> {
    await during('Ramp', async () => {
      await servers.ramp();
      await second.ramp();
      await pass(3);
      await servers.pushBadPolicies();
      await pass(3);
      await second.promote();
      await pass(2);
    });
  }

  async function violate(): Promise<void> {
    await during('Violation', () => pass(8, servers.violate));
    await servers.switchOff();
    await pass(2);
  }

  async function alarm(): Promise<void> {
    await during('Alarm', async () => {
      await servers.recover();
      await pass(3);
      await second.alarm();
      await pass(1);
      await servers.switchOff();
      await pass(3);
    });
  }

  async function killEngines(): Promise<void> {
    for (let death = 1; death <= 4; death++) {
      await Promise.all([pass(1), servers.killEngine()]);
    }
    await pass(4);
  }

  try {
    await during('Always', async () => {
      for (const act of [abort, serve, rollOut, violate, alarm, killEngines]) await act();
    });
    const always = intervals.Always!;
    const all = { ...intervals, Alerts: always, Gpu: always } as Record<Scenario, Interval>;
    return { prometheus, intervals: all, minutes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function targetsOf(servers: PlayedServers): ScrapeTarget[] {
  return servers.metricPorts.map((port, i) => ({
    ...{ job: 'models', port },
    labels: { namespace: SERVICE.namespace, pod: `vision-${i}` },
  }));
}

/** Its beginning alone: the servers, and exits that answer. */
export async function playServing(): Promise<
  Pick<ScriptedRun, 'prometheus' | 'close'> & {
    readonly exits: Interval;
  }
> {
  const servers = await playServers(SERVICE.model);
  await servers.train();
  const prometheus = await startPrometheus(targetsOf(servers), ruleFile(MINUTE_SECONDS));
  const { pass, during, intervals } = createScriptClock(prometheus, servers.minute);
  const close = async (): Promise<void> => {
    await prometheus.close();
    await servers.close();
  };
  try {
    await during('Exits', async () => {
      await servers.serve();
      await pass(6);
    });
    return { prometheus, exits: intervals.Exits!, close };
  } catch (error) {
    await close();
    throw error;
  }
}
