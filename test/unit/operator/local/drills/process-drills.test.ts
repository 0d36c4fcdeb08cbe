// Drills that strike real processes: a parent in the place of a server, its child in that of the engine host.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../../operator/clock.ts';
import type { Drill, DrillWorld } from '../../../../../operator/local/drills/drill.ts';
import { createKillDrill } from '../../../../../operator/local/drills/kill-drill.ts';
import { createSlowDrill } from '../../../../../operator/local/drills/slow-drill.ts';
import type { StartedServer } from '../../../../../operator/local/fleet-start.ts';
import { startChild, type Child } from '../../../../../operator/local/processes/child.ts';
import { childrenOf } from '../../../../../operator/local/processes/children-of.ts';
import { eventually } from '../../../../support/eventually.ts';
import { temporaryFile } from '../traffic/files.ts';

const DATA_URL = 'http://server';

/** A process with one child; both end with their standard input. */
const program = temporaryFile(
  'parent.mjs',
  `import { spawn } from 'node:child_process';
spawn(process.execPath, ['-e', "process.stdin.on('end', () => process.exit()).resume()"], { stdio: ['pipe', 'ignore', 'ignore'] });
process.stdin.on('end', () => process.exit()).resume();
console.log('{"msg":"up"}');
`,
);

const started: Child[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop(5_000)));
});

async function aServer(): Promise<{ server: StartedServer; host: () => Promise<number> }> {
  const start = async (): Promise<Child> => {
    const child = startChild({ name: 'server', program, environment: {} });
    started.push(child);
    await child.waitFor('up', 30_000);
    return child;
  };
  let child = await start();
  const server = {
    server: {
      podUid: 'local-0',
      dataUrl: DATA_URL,
      get child() {
        return child;
      },
    },
    restart: async () => {
      child = await start();
    },
  } as unknown as StartedServer;
  const host = async (): Promise<number> => {
    const [pid] = await childrenOf(child.pid);
    if (pid === undefined) throw new Error('the host is not there yet');
    return pid;
  };
  await eventually(host);
  return { server, host };
}

function aWorld(servers: readonly StartedServer[]): {
  world: DrillWorld;
  count: { sent: number; failed: number };
} {
  const count = { sent: 0, failed: 0 };
  const world: DrillWorld = {
    clock: systemClock,
    startedMs: systemClock.nowMs(),
    sent: () => count.sent,
    failed: () => count.failed,
    servers,
    onNote: () => undefined,
    onFatal: (error) => {
      throw error;
    },
  };
  return { world, count };
}

function send(drill: Drill, count: { sent: number }, rows: number): void {
  for (let i = 0; i < rows; i++) {
    count.sent += 1;
    drill.onAttempt?.(DATA_URL);
    drill.onSent?.(count.sent);
  }
}

type End = 'Answered' | 'SentAgain' | 'Failed';

function settle(drill: Drill, end: End, sentMs = systemClock.monotonicMs()): void {
  drill.onSettled?.({ dataUrl: DATA_URL, sentMs, end });
}

/** The letter of a process's state: T while it stands still. */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '';
}

describe('--kill', () => {
  test('host ends the engine host at its request, leaves the server, and says how long it took', async () => {
    const { server, host } = await aServer();
    const { world, count } = aWorld([server]);
    const drill = createKillDrill({ target: 'host', atRequest: 3 }, world);
    const pid = await host();
    send(drill, count, 2);
    expect(stateOf(pid)).not.toBe('Z');
    send(drill, count, 1);
    await drill.stop?.();
    await eventually(async () => {
      expect(await childrenOf(server.server.child.pid)).toEqual([]);
    });
    expect([server.server.child.hasEnded, drill.isExpectedEnd('local-0')]).toEqual([false, false]);
    // Answers to requests from before say nothing about the new host.
    for (let i = 0; i < 3; i++) settle(drill, 'Answered', 0);
    expect(drill.report().recoveredSeconds).toBeNull();
    settle(drill, 'Answered');
    const { atRequest, recoveredSeconds, failedRequests, message } = drill.report();
    expect([atRequest, failedRequests]).toEqual([3, 0]);
    expect(recoveredSeconds).toBeGreaterThan(0);
    expect(message.replace(/after [\d.]+ s/, 'after N s')).toBe(
      'The engine host of local-0 was killed with 3 requests in it, of which 0 failed; it answered again after N s, no other request failed.',
    );
  }, 60_000);

  test('server ends it, starts another in its place, and counts the requests that it held', async () => {
    const { server } = await aServer();
    const { world, count } = aWorld([server]);
    const drill = createKillDrill({ target: 'server', atRequest: 2 }, world);
    const restarted: string[] = [];
    drill.onRestarted = (one) => restarted.push(one.server.podUid);
    const before = server.server.child;
    const sentMs = systemClock.monotonicMs();
    send(drill, count, 2);
    // From the signal on nothing is sent there, until the one in its place is ready.
    expect([drill.isDown('local-0'), drill.isDown('other')]).toEqual([true, false]);
    await drill.stop?.();
    expect(drill.isDown('local-0')).toBe(false);
    expect(await before.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect([drill.isExpectedEnd('local-0'), restarted]).toEqual([true, ['local-0']]);
    expect([server.server.child === before, server.server.child.hasEnded]).toEqual([false, false]);
    count.failed = 1;
    settle(drill, 'Failed', sentMs);
    // One answer was on its way.
    settle(drill, 'Answered', sentMs);
    settle(drill, 'Answered');
    const { message, ...report } = drill.report();
    expect(report).toMatchObject({
      atRequest: 2,
      failedRequests: 1,
      held: { requests: 2, failed: 1 },
    });
    expect(message).toMatch(
      /^The server local-0 was killed with 2 requests in it, of which 1 failed; it answered again after [\d.]+ s, no other request failed\.$/,
    );
    // A failure that the process did not hold is told apart.
    count.failed = 3;
    expect(drill.report().message).toContain(', 2 other requests failed.');
  }, 60_000);

  test('says when nothing answered again', async () => {
    const { server } = await aServer();
    const { world, count } = aWorld([server]);
    const drill = createKillDrill({ target: 'host', atRequest: 1 }, world);
    send(drill, count, 1);
    await drill.stop?.();
    expect(drill.report().message).toContain(
      'it did not answer again in this run, no other request failed.',
    );
  }, 60_000);
});

describe('--slow', () => {
  test('makes the engine host stand still again and again, and lets it go at the end', async () => {
    const { server, host } = await aServer();
    const { world, count } = aWorld([server]);
    const drill = createSlowDrill({ pauseMs: 50, fromRequest: 2 }, world);
    const pid = await host();
    const answer = { exit: 'backbone', policy: '', headRevision: '', classIds: [] };
    drill.onAnswer?.(answer, 4);
    send(drill, count, 2);
    for (const [state, is] of [
      ['T', true],
      ['T', false],
      ['T', true],
    ] as const) {
      await eventually(() => {
        expect(stateOf(pid) === state).toBe(is);
      });
    }
    drill.onAnswer?.(answer, 30);
    drill.onDecision?.({
      nowMs: 0,
      reason: 'RolloutAborted',
      message: '',
      headRevision: null,
      details: {},
    });
    await drill.stop?.();
    expect(stateOf(pid)).not.toBe('T');
    expect(drill.report()).toMatchObject({
      atRequest: 2,
      message:
        'Every engine host stood still for 50 ms of every 100 ms: mean latency 4.0 ms before, 30.0 ms from then on; decided since: RolloutAborted, 0 requests failed.',
    });
  }, 60_000);

  test('says so when nothing followed from it', () => {
    const { world, count } = aWorld([]);
    const drill = createSlowDrill({ pauseMs: 1, fromRequest: 1 }, world);
    send(drill, count, 1);
    expect(drill.report().message).toContain('no check failed and nothing was switched off');
    return drill.stop?.();
  });
});
