import type { Scenario } from '../../charts/generate/dashboards/panel.ts';
import { ruleFile } from '../../charts/generate/alerts/rule-groups.ts';
import { gpuPage, servePage } from './metric-page-server.ts';
import { playOperator, type PlayedOperator } from './played-operator.ts';
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

/** More than the second that the rules allow one request in a hundred, and less than a silence for which an engine is ended. */
const STALL_MS = 1_200;

export interface Stage {
  readonly servers: PlayedServers;
  readonly prometheus: Prometheus;
  readonly clock: ScriptClock;
  readonly close: () => Promise<void>;
}

/** Another program with a page. */
interface Extra {
  readonly target: ScrapeTarget;
  readonly program: Ending;
}

interface Ending {
  close(): Promise<void>;
}

/** Two servers with heads, a Prometheus that scrapes them and the others, and a clock. If a script fails, all of it ends. */
async function onStage<T>(
  extras: readonly Extra[],
  play: (stage: Stage) => Promise<T>,
): Promise<T> {
  const started: Ending[] = extras.map(({ program }) => program);
  const close = async (): Promise<void> => {
    for (const one of started.toReversed()) await one.close();
  };
  try {
    const servers = await playServers(SERVICE.model);
    started.push(servers);
    await servers.train();
    const targets = [...targetsOf(servers), ...extras.map(({ target }) => target)];
    const prometheus = await startPrometheus(targets, ruleFile(MINUTE_SECONDS));
    started.push(prometheus);
    const clock = createScriptClock(prometheus, servers.minute);
    return await play({ servers, prometheus, clock, close });
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

/**
 * Two servers and the operators of one service through everything that boards show, scraped each second by a real Prometheus. The
 * script counts minutes of its own, so what alerts say of it does not depend on the speed of the machine. One operator leads until
 * its rollout is taken back and its pod ends; its successor brings heads into force, and meets an alarm.
 */
export async function playRun(): Promise<ScriptedRun> {
  const [first, second] = await Promise.all([playOperator(), playOperator()]);
  const gpu = await servePage(() => gpuPage(`namespace="${SERVICE.namespace}",pod="vision-0"`));
  const extras = [
    ...[first, second].map((program, i) => ({
      target: {
        ...{ job: 'operator', port: program.page.port },
        labels: { namespace: 'layercache-system', pod: `operator-${i}` },
      },
      program,
    })),
    { target: { job: 'dcgm-exporter', port: gpu.port, labels: {} }, program: gpu },
  ];
  return onStage(extras, async ({ servers, prometheus, clock, close }) => {
    await playScript({ servers, clock, first, second });
    const always = clock.intervals.Always!;
    const intervals = {
      ...clock.intervals,
      Alerts: always,
      Gpu: always,
    } as ScriptedRun['intervals'];
    return { prometheus, intervals, minutes: clock.minutes, close };
  });
}

interface Players extends Pick<Stage, 'servers' | 'clock'> {
  readonly first: PlayedOperator;
  readonly second: PlayedOperator;
}

async function playScript({ servers, clock, first, second }: Players): Promise<void> {
  const { pass, during } = clock;

  /** A rollout is taken back before exits answer anybody. */
  async function abort(): Promise<void> {
    await servers.shadow();
    await first.ramp();
    await pass(2);
    await during('Abort', async () => {
      await first.abort();
      await pass(2);
    });
    await first.close();
    await pass(4);
  }

  /** Exits cost more than they save, and engines stand still now and then, until who is told of either must have been. */
  async function waste(): Promise<void> {
    await servers.waste();
    for (let two = 0; two < 11; two++) {
      await Promise.all([pass(1), servers.stall(STALL_MS)]);
      await pass(1);
    }
    await pass(14);
  }

  async function serve(): Promise<void> {
    await during('Exits', async () => {
      await servers.serve();
      await pass(8);
    });
    await servers.refuse();
    await pass(1);
    // What was wasted, and audited, is out of the last hour before the budget is violated: it would outweigh that.
    await servers.calm();
    await pass(30);
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
    await during('Restart', async () => {
      for (let death = 1; death <= 4; death++) {
        await Promise.all([pass(1), servers.killEngine()]);
      }
      await pass(4);
    });
  }

  await during('Always', async () => {
    for (const act of [abort, waste, serve, rollOut, violate, alarm, killEngines]) await act();
  });
}

/** The servers and their clock, for whoever plays something else on them. */
export function playStates(): Promise<Stage> {
  return onStage([], (stage) => Promise.resolve(stage));
}
