import { childrenOf } from '../processes/children-of.ts';
import type { StartedServer } from '../fleet-start.ts';
import type { SettledRequest } from '../replay/infer-client.ts';
import { grouped, seconds } from '../view/format.ts';
import { notReached, strikeNow, type Drill, type DrillWorld, type Strike } from './drill.ts';
import { flagOf, type KillDrill } from './drill-options.ts';

export interface RunningKillDrill extends Drill {
  /** The process ended because the drill killed it. */
  isExpectedEnd(podUid: string): boolean;
  /** Killed, and the one in its place is not ready yet: nothing is sent there. */
  isDown(podUid: string): boolean;
  /** Calls back with each process that was started in the place of a killed one. */
  onRestarted: (server: StartedServer) => void;
}

interface Killed extends Strike {
  readonly atMs: number;
  /** Requests that were sent to the victim before the signal and had no answer yet. */
  readonly held: number;
  /** Of these: what became of them. Answers that were on their way come all the same. */
  readonly ends: Record<SettledRequest['end'], number>;
  recoveredMs: number | null;
}

/** Kills the last server, or the engine host below it, at a request of the stream; a killed server is started again as a kubelet would. */
export function createKillDrill(drill: KillDrill, world: DrillWorld): RunningKillDrill {
  const victim = world.servers.at(-1);
  const held = new Map<string, number>();
  let killed: Killed | null = null;
  let isDown = false;
  let work: Promise<void> = Promise.resolve();

  const count = (dataUrl: string, change: 1 | -1): void => {
    held.set(dataUrl, (held.get(dataUrl) ?? 0) + change);
  };

  const killedAt = (atMs: number, inFlight: number): Killed => ({
    ...strikeNow(world),
    atMs,
    held: inFlight,
    ends: { Answered: 0, SentAgain: 0, Failed: 0 },
    recoveredMs: null,
  });

  const strike = async (started: StartedServer): Promise<void> => {
    const { server } = started;
    const pids =
      drill.target === 'server' ? [server.child.pid] : await childrenOf(server.child.pid);
    killed = killedAt(world.clock.monotonicMs(), held.get(server.dataUrl) ?? 0);
    // From here on nothing is sent there: what is in it now is what the signal takes along.
    isDown = drill.target === 'server';
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    world.onNote(
      `Drill: the ${nameOf(drill, server.podUid)} is killed with ${grouped(killed.held)} requests in it.`,
    );
    if (drill.target === 'host') return;
    await server.child.ended;
    await started.restart();
    isDown = false;
    running.onRestarted(started);
  };

  const recovered = (by: Killed, { server }: StartedServer): void => {
    by.recoveredMs = world.clock.monotonicMs();
    world.onNote(
      `Drill: ${server.podUid} answers again after ${seconds(by.recoveredMs - by.atMs)}.`,
    );
  };

  const running: RunningKillDrill = {
    onRestarted: () => undefined,
    isExpectedEnd: (podUid) =>
      drill.target === 'server' && killed !== null && podUid === victim?.server.podUid,
    isDown: (podUid) => isDown && podUid === victim?.server.podUid,
    onSent: (sentRows) => {
      if (killed !== null || victim === undefined || sentRows < drill.atRequest) return;
      killed = killedAt(Infinity, 0);
      work = strike(victim).catch((error: unknown) => {
        world.onFatal(error instanceof Error ? error : new Error(String(error)));
      });
    },
    onAttempt: (dataUrl) => {
      count(dataUrl, 1);
    },
    onSettled: ({ dataUrl, sentMs, end }) => {
      count(dataUrl, -1);
      if (killed === null || dataUrl !== victim?.server.dataUrl) return;
      if (sentMs <= killed.atMs) killed.ends[end] += 1;
      else if (end === 'Answered' && killed.recoveredMs === null) recovered(killed, victim);
    },
    stop: () => work,
    report: () => {
      const flag = flagOf.kill(drill);
      if (killed === null || victim === undefined) return notReached('Kill', flag);
      const { atSeconds, atRequest, recoveredMs, atMs, held: inFlight, ends } = killed;
      const failedRequests = world.failed() - killed.failedBefore;
      return {
        kind: 'Kill',
        flag,
        atSeconds,
        atRequest,
        message: messageOf(drill, killed, { podUid: victim.server.podUid, failedRequests }),
        failedRequests,
        held: { requests: inFlight, failed: ends.Failed },
        recoveredSeconds: recoveredMs === null ? null : (recoveredMs - atMs) / 1000,
        drifted: null,
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
  { held, ends, atMs, recoveredMs }: Killed,
  { podUid, failedRequests }: { readonly podUid: string; readonly failedRequests: number },
): string {
  const again =
    recoveredMs === null
      ? 'it did not answer again in this run'
      : `it answered again after ${seconds(recoveredMs - atMs)}`;
  const others = failedRequests - ends.Failed;
  const failed =
    others <= 0 ? 'no other request failed' : `${grouped(others)} other requests failed`;
  return `The ${nameOf(drill, podUid)} was killed with ${grouped(held)} requests in it, of which ${grouped(ends.Failed)} failed; ${again}, ${failed}.`;
}
