import type { Clock } from '../../operator/clock.ts';
import { ApiStatusError } from '../../operator/kube/api-status-error.ts';
import { createMetricRegistry } from '../../operator/metrics.ts';
import { createOperatorMetrics, type OperatorMetrics } from '../../operator/operator-metrics.ts';
import { createLoop, type LoopWorld } from '../faults/loop/loop-world.ts';
import { servePage, type PageServer } from './metric-page-server.ts';

const HOUR = 3_600_000;
const SLOW_STEPS = {
  rollout: {
    steps: [
      { share: '25%', hold: '10m' },
      { share: '100%', hold: '10m' },
    ],
  },
};

/**
 * The operator's own controllers and metrics over a simulated cluster whose hours pass in seconds. Its page is scraped in real
 * time, so times on it are moved to now.
 */
export interface PlayedOperator {
  readonly page: PageServer;
  /** Samples, training, shadow: until the first candidate takes traffic. */
  ramp(): Promise<void>;
  /** Inputs change, the step fails, and the candidate is taken back. */
  abort(): Promise<void>;
  /** Live rows are not like those of the training: no lambda keeps the budget. */
  fail(): Promise<void>;
  promote(): Promise<void>;
  /** What a person reads of the service. */
  readonly events: () => readonly string[];
  /** Inputs change under heads that serve, until the detector says so. */
  alarm(): Promise<void>;
  close(): Promise<void>;
}

export async function playOperator(): Promise<PlayedOperator> {
  let world: LoopWorld['world'] | null = null;
  const worldClock: Clock = {
    nowMs: () => world?.clock.nowMs() ?? 0,
    monotonicMs: () => world?.clock.monotonicMs() ?? 0,
  };
  const metrics = createOperatorMetrics(createMetricRegistry(), {
    ...{ version: '0.1.0', nodeVersion: process.versions.node },
    clock: worldClock,
  });
  metrics.followLease('layercache', () => true);
  const loop = await createLoop({ metrics, spec: SLOW_STEPS });
  world = loop.world;
  const countCalls = callCounter(loop, metrics);
  const page = await servePage(async () => {
    countCalls();
    return movedToNow((await metrics.render()).text, worldClock.nowMs());
  });
  const stage = (): string | undefined => loop.ledger()?.stage;
  const hasHappened = (reason: string): boolean =>
    loop.events().some((event) => event.startsWith(`${reason}:`));
  let isOver = false;
  return {
    page,
    ramp: async () => {
      await loop.until('a ramp', () => stage() === 'Ramping', 3 * HOUR);
      await loop.pass(60_000);
    },
    abort: async () => {
      loop.drift = { shift: 0, noise: 0.3 };
      await loop.until('an abort', () => hasHappened('RolloutAborted'), HOUR);
      await loop.pass(30_000);
    },
    fail: async () => {
      await loop.until('a shadow', () => stage() === 'Shadowing', 3 * HOUR);
      loop.drift = { shift: 0, noise: 0.5 };
      await loop.until('an end', () => hasHappened('NotCertified'), 3 * HOUR);
      await loop.pass(60_000);
    },
    events: () => loop.events(),
    promote: async () => {
      await loop.until('a promotion', () => stage() === 'Serving', 6 * HOUR);
      await loop.pass(60_000);
    },
    alarm: async () => {
      loop.drift = { shift: 0, noise: 0.3 };
      await loop.until('an alarm', () => hasHappened('Alarm'), HOUR);
    },
    close: async () => {
      if (isOver) return;
      isOver = true;
      loop.world.close();
      await page.close();
    },
  };
}

/** Calls of the simulated API server as a real client would have counted them. */
function callCounter({ world }: LoopWorld, metrics: OperatorMetrics): () => void {
  let seen = 0;
  return () => {
    const calls = world.cluster.calls.slice(seen);
    seen = world.cluster.calls.length;
    for (const call of calls) {
      if (!call.client.startsWith('operator-')) continue;
      const status = call.isRefused ? 409 : 200;
      const error = call.isRefused
        ? new ApiStatusError({
            status,
            reason: 'Conflict',
            detail: 'somebody was faster',
            call: call.verb,
          })
        : null;
      metrics.apiAnswered('api', METHODS[call.verb] ?? 'GET', status);
      metrics.callEnded(call, error);
    }
  };
}

const METHODS: Readonly<Record<string, string>> = {
  create: 'POST',
  patch: 'PATCH',
  update: 'PUT',
  delete: 'DELETE',
};

/** Times of the simulated clock as times of the machine's. */
function movedToNow(page: string, simulatedNowMs: number): string {
  const offset = Date.now() / 1000 - simulatedNowMs / 1000;
  return page.replace(
    /^(\w+_timestamp_seconds\{[^}]*\}) (\S+)$/gm,
    (_, series: string, value: string) => `${series} ${Number(value) + offset}`,
  );
}
