import { setTimeout as wait } from 'node:timers/promises';
import type { Decision } from '../../lifecycle/types.ts';
import { childrenOf } from '../processes/children-of.ts';
import { grouped, milliseconds } from '../view/format.ts';
import { notReached, strikeNow, type Drill, type DrillWorld, type Strike } from './drill.ts';
import { flagOf, type SlowDrill } from './drill-options.ts';

/** Decisions that may follow from a slow engine. */
const CONSEQUENCES: readonly Decision['reason'][] = [
  'RolloutAborted',
  'Inconclusive',
  'NotWorthwhile',
];

interface Mean {
  sum: number;
  n: number;
}

/**
 * Makes every engine host stand still for a time, work for as long, and so on (SIGSTOP, SIGCONT): an engine that a noisy
 * neighbour slows down. Both tracks of a ramp are slowed alike.
 */
export function createSlowDrill(drill: SlowDrill, world: DrillWorld): Drill {
  const before: Mean = { sum: 0, n: 0 };
  const after: Mean = { sum: 0, n: 0 };
  const followed: string[] = [];
  let strike: Strike | null = null;
  let isStopped = false;
  let work: Promise<void> = Promise.resolve();

  const hosts = async (): Promise<number[]> => {
    const alive = world.servers.filter(({ server }) => !server.child.hasEnded);
    return (await Promise.all(alive.map(({ server }) => childrenOf(server.child.pid)))).flat();
  };

  const pulse = async (): Promise<void> => {
    while (!isStopped) {
      const pids = await hosts();
      try {
        for (const pid of pids) signal(pid, 'SIGSTOP');
        await wait(drill.pauseMs);
      } finally {
        for (const pid of pids) signal(pid, 'SIGCONT');
      }
      await wait(drill.pauseMs);
    }
  };

  return {
    onSent: (sentRows) => {
      if (strike !== null || sentRows < drill.fromRequest) return;
      strike = strikeNow(world);
      world.onNote(
        `Drill: from now on every engine host stands still for ${drill.pauseMs} ms of every ${2 * drill.pauseMs} ms.`,
      );
      work = pulse().catch((error: unknown) => {
        world.onFatal(error instanceof Error ? error : new Error(String(error)));
      });
    },
    onAnswer: (_answer, latencyMs) => {
      const mean = strike === null ? before : after;
      mean.sum += latencyMs;
      mean.n += 1;
    },
    onDecision: ({ reason }) => {
      if (strike !== null && CONSEQUENCES.includes(reason)) followed.push(reason);
    },
    stop: async () => {
      isStopped = true;
      await work;
    },
    report: () => {
      const flag = flagOf.slow(drill);
      if (strike === null) return notReached('Slow', flag);
      const { atSeconds, atRequest, failedBefore } = strike;
      const failedRequests = world.failed() - failedBefore;
      return {
        kind: 'Slow',
        flag,
        atSeconds,
        atRequest,
        message: `Every engine host stood still for ${drill.pauseMs} ms of every ${2 * drill.pauseMs} ms: mean latency ${meanOf(before)} ms before, ${meanOf(after)} ms from then on; ${consequences(followed)}, ${grouped(failedRequests)} requests failed.`,
        failedRequests,
        held: null,
        drifted: null,
        recoveredSeconds: null,
      };
    },
  };
}

function meanOf({ sum, n }: Mean): string {
  return milliseconds(n === 0 ? null : sum / n);
}

function consequences(reasons: readonly string[]): string {
  return reasons.length === 0
    ? 'no check failed and nothing was switched off'
    : `decided since: ${reasons.join(', ')}`;
}

/** A host that ended meanwhile needs no signal. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch {
    // ESRCH
  }
}
