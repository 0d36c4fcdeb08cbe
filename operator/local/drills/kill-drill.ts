import { childrenOf } from '../processes/children-of.ts';
import type { StartedServer } from '../fleet-start.ts';
import { grouped, seconds } from '../view/format.ts';
import { notReached, strikeNow, type Drill, type DrillWorld, type Strike } from './drill.ts';
import { flagOf, type KillDrill } from './drill-options.ts';

export interface RunningKillDrill extends Drill {
  /** The process ended because the drill killed it. */
  isExpectedEnd(podUid: string): boolean;
  /** Calls back with each process that was started in the place of a killed one. */
  onRestarted: (server: StartedServer) => void;
}

interface Killed extends Strike {
  readonly atMs: number;
  /** Requests that the victim had taken and not answered. */
  readonly held: number;
  recoveredMs: number | null;
  failed: number;
}

/** Kills the last server, or the engine host below it, at a request of the stream; a killed server is started again as a kubelet would. */
export function createKillDrill(drill: KillDrill, world: DrillWorld): RunningKillDrill {
  const victim = world.servers.at(-1);
  const held = new Map<string, number>();
  let killed: Killed | null = null;
  let work: Promise<void> = Promise.resolve();

  const count = (dataUrl: string, change: 1 | -1): void => {
    held.set(dataUrl, (held.get(dataUrl) ?? 0) + change);
  };

  const strike = async (started: StartedServer): Promise<void> => {
    const { server } = started;
    const pids =
      drill.target === 'server' ? [server.child.pid] : await childrenOf(server.child.pid);
    killed = {
      ...strikeNow(world),
      atMs: world.clock.monotonicMs(),
      held: held.get(server.dataUrl) ?? 0,
      recoveredMs: null,
      failed: 0,
    };
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    world.onNote(
      `Drill: the ${nameOf(drill, server.podUid)} is killed with ${grouped(killed.held)} requests in it.`,
    );
    if (drill.target === 'host') return;
    await server.child.ended;
    await started.restart();
    running.onRestarted(started);
  };

  const running: RunningKillDrill = {
    onRestarted: () => undefined,
    isExpectedEnd: (podUid) =>
      drill.target === 'server' && killed !== null && podUid === victim?.server.podUid,
    onSent: (sentRows) => {
      if (killed !== null || victim === undefined || sentRows < drill.atRequest) return;
      killed = { ...strikeNow(world), atMs: Infinity, held: 0, recoveredMs: null, failed: 0 };
      work = strike(victim).catch((error: unknown) => {
        world.onFatal(error instanceof Error ? error : new Error(String(error)));
      });
    },
    onAttempt: (dataUrl) => {
      count(dataUrl, 1);
    },
    onSettled: ({ dataUrl, sentMs, ok }) => {
      count(dataUrl, -1);
      if (killed?.recoveredMs !== null) return;
      killed.failed = world.failed() - killed.failedBefore;
      const isAnswer = ok && sentMs > killed.atMs && dataUrl === victim?.server.dataUrl;
      if (!isAnswer) return;
      killed.recoveredMs = world.clock.monotonicMs();
      world.onNote(
        `Drill: ${victim.server.podUid} answers again after ${seconds(killed.recoveredMs - killed.atMs)}.`,
      );
    },
    stop: () => work,
    report: () => {
      const flag = flagOf.kill(drill);
      if (killed === null || victim === undefined) return notReached('Kill', flag);
      const { atSeconds, atRequest, recoveredMs, atMs } = killed;
      const failedRequests = world.failed() - killed.failedBefore;
      return {
        kind: 'Kill',
        flag,
        atSeconds,
        atRequest,
        message: messageOf(drill, killed, { podUid: victim.server.podUid, failedRequests }),
        failedRequests,
        recoveredSeconds: recoveredMs === null ? null : (recoveredMs - atMs) / 1000,
      };
    },
  };
  return running;
}

function nameOf({ target }: KillDrill, podUid: string): string {
  return target === 'host' ? `engine host of ${podUid}` : `server ${podUid}`;
}

function messageOf(
  drill: KillDrill,
  { held, atMs, recoveredMs }: Killed,
  { podUid, failedRequests }: { readonly podUid: string; readonly failedRequests: number },
): string {
  const kept = drill.target === 'host' ? ', which the server kept' : '';
  const again =
    recoveredMs === null
      ? 'it did not answer again in this run'
      : `it answered again after ${seconds(recoveredMs - atMs)}`;
  return `The ${nameOf(drill, podUid)} was killed with ${grouped(held)} requests in it${kept}; ${again}, ${grouped(failedRequests)} requests failed.`;
}
