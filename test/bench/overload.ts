import { pullState } from '../../operator/fleet/pull-state.ts';
import { atLeast, atMost, seen, type Figure } from './figure.ts';
import { quantile } from './median.ts';
import { randomResNet, RESNET_18 } from './models.ts';
import { lagP99Ms, latenciesOf, startOpenLoop, type OpenLoopReport } from './open-loop.ts';
import { serveModel, writeModel, type ServedModel } from './served-model.ts';
import { perSecond } from './server/closed-figures.ts';
import { driveClosed, type ClosedPlan } from './server/drive.ts';
import { inferMessages } from './server/infer-messages.ts';
import { ROW_SHAPE, targetOf } from './server/layercache-target.ts';

const LOAD = 10;
const SECONDS = 8;
/** Until the queue is as full as it gets. */
const RAMP_MS = 2_000;
const PROBE_EVERY_MS = 50;

/**
 * Ten times what the server can do, by a schedule that does not wait. One engine worker: of two processors it has one, the other is for
 * `main` and the generator.
 */
export async function measureOverload(): Promise<Figure[]> {
  const model = writeModel(randomResNet(RESNET_18, 1));
  const served = await serveModel(model.path, ROW_SHAPE, { engineThreads: 1 });
  try {
    const target = targetOf(served);
    const messages = inferMessages({ rowShape: ROW_SHAPE, format: 'binary' });
    const drive = async (concurrency: number, seconds: number) => {
      const plan: ClosedPlan = { messages, concurrency, seconds };
      return driveClosed(target, plan);
    };
    await drive(32, 4);
    const quiet = quantile((await drive(1, 3)).latencyMs, 0.5);
    const figures: Figure[] = [];
    for (const timeoutSeconds of [null, 1]) {
      const capacity = perSecond(await drive(32, 5));
      const section =
        timeoutSeconds === null
          ? `overload, ${LOAD}x capacity`
          : `overload, ${LOAD}x capacity, deadline ${timeoutSeconds} s`;
      const probes = startProbes(served);
      const ratePerSecond = LOAD * capacity;
      const headers: Record<string, string> =
        timeoutSeconds === null ? {} : { 'request-timeout': String(timeoutSeconds) };
      const run = await startOpenLoop({
        port: target.port,
        seed: 31,
        ratePerSecond,
        requests: Math.round(ratePerSecond * SECONDS),
        messages: messages.map((one) => ({ ...one, headers: { ...one.headers, ...headers } })),
        connections: 300,
      });
      const report = await run.done;
      const lastMs = report.scheduledMs.at(-1) ?? 0;
      const endedAt = performance.now() - (report.wallMs - lastMs);
      let latencyMs = Infinity;
      while (!(latencyMs <= 2 * quiet) && performance.now() - endedAt < 30_000) {
        latencyMs = quantile((await drive(1, 0.2)).latencyMs, 0.5);
      }
      const recoveredMs = performance.now() - endedAt;
      const seenByProbes = await probes.stop();
      figures.push(
        seen({ section, name: 'capacity', unit: 'requests/s' }, capacity),
        ...figuresOf(section, report, capacity),
        atMost({ section, name: 'recovered after', unit: 's' }, recoveredMs / 1_000, 5),
        atMost(
          { section, name: 'failed calls to the admin and metrics ports' },
          seenByProbes.failed,
          0,
        ),
        atMost(
          { section, name: 'GET /v1/state p99', unit: 'ms' },
          quantile(seenByProbes.adminMs, 0.99),
          100,
        ),
        atMost(
          { section, name: 'GET /readyz p99', unit: 'ms' },
          quantile(seenByProbes.metricsMs, 0.99),
          100,
        ),
        seen({ section, name: 'memory of main before', unit: 'MiB' }, seenByProbes.beforeMiB),
        seen({ section, name: 'memory of main, most', unit: 'MiB' }, seenByProbes.mostMiB),
      );
    }
    return figures;
  } finally {
    await served.stop();
    model.remove();
  }
}

function figuresOf(section: string, report: OpenLoopReport, capacity: number): Figure[] {
  const { scheduledMs, latencyMs, status, failures, busyMs, wallMs } = report;
  const lastMs = scheduledMs.at(-1) ?? 0;
  const share = (code: number): number =>
    status.filter((one) => one === code).length / status.length;
  const good = scheduledMs.filter((startMs, i) => {
    const endMs = startMs + (latencyMs[i] ?? 0);
    return status[i] === 200 && endMs >= RAMP_MS && endMs <= lastMs;
  });
  const perSecondGood = good.length / ((lastMs - RAMP_MS) / 1_000);
  const refusals = latenciesOf(report, 429);
  const unanswered = Object.values(failures).reduce((sum, count) => sum + count, 0);
  return [
    seen({ section, name: 'requests' }, status.length),
    atMost({ section, name: 'requests without an answer' }, unanswered, 0),
    atLeast({ section, name: 'goodput / capacity' }, perSecondGood / capacity, 0.8),
    seen({ section, name: 'answered 200', unit: 'of all' }, share(200)),
    seen({ section, name: 'refused 429', unit: 'of all' }, share(429)),
    seen({ section, name: 'too late 504', unit: 'of all' }, share(504)),
    atMost({ section, name: 'refusals p99', unit: 'ms' }, quantile(refusals, 0.99), 50),
    seen({ section, name: 'latency p50 of 200', unit: 'ms' }, quantile(latenciesOf(report), 0.5)),
    seen({ section, name: 'latency p99 of 200', unit: 'ms' }, quantile(latenciesOf(report), 0.99)),
    seen({ section, name: 'generator lag p99', unit: 'ms' }, lagP99Ms(report)),
    seen({ section, name: 'generator, share of a core' }, busyMs / wallMs),
  ];
}

interface Probed {
  readonly adminMs: readonly number[];
  readonly metricsMs: readonly number[];
  readonly failed: number;
  readonly beforeMiB: number;
  readonly mostMiB: number;
}

/** Calls both other ports again and again, as an operator and a kubelet do. */
function startProbes({ server }: ServedModel): { stop(): Promise<Probed> } {
  const adminMs: number[] = [];
  const metricsMs: number[] = [];
  const rss: number[] = [];
  let failed = 0;
  let isOver = false;
  const once = async (into: number[], call: () => Promise<boolean>): Promise<void> => {
    const startMs = performance.now();
    const isOk = await call().catch(() => false);
    into.push(performance.now() - startMs);
    if (!isOk) failed += 1;
  };
  const probe = async (): Promise<void> => {
    while (!isOver) {
      await once(adminMs, async () => {
        const state = await pullState(server.admin);
        if (state.ok) rss.push(state.value.memory.rssBytes / 2 ** 20);
        return state.ok;
      });
      await once(metricsMs, async () => (await fetch(`${server.metricsUrl}/readyz`)).ok);
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
    }
  };
  const done = probe();
  return {
    stop: async () => {
      isOver = true;
      await done;
      return { adminMs, metricsMs, failed, beforeMiB: rss[0] ?? 0, mostMiB: Math.max(...rss) };
    },
  };
}
