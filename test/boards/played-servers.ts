import { setTimeout as wait } from 'node:timers/promises';
import type { Policy } from '../../crds/wire/policy.ts';
import { createMetricRegistry } from '../../server/metrics.ts';
import { createServerMetrics } from '../../server/server-metrics.ts';
import { RowCode } from '../support/fake-engine.ts';
import {
  aCandidate,
  aPolicy,
  aTrack,
  EASY,
  fakeBundle,
  HARD,
  INFER,
  inferBody,
  send,
  startTestServer,
  type Row,
  type TestServer,
} from '../support/test-server.ts';

/** Sure at the second exit only. */
const MIDDLING: Row = [2, 0.1, 0.99999, 0];
/** Sure at the first exit, and wrong there. */
const WRONG: Row = [0, 0.99999, 0, RowCode.headsDisagree];
const NOT_FINITE: Row = [1, 0.1, 0.1, RowCode.headNotFinite];

const NORMAL: readonly Row[] = [EASY, EASY, MIDDLING, EASY, HARD];
const VIOLATED: readonly Row[] = [WRONG, WRONG, EASY, WRONG, HARD];

/** Time between two requests of a pod. */
const PAUSE_MS = 25;
const READ_MS = 1_500;

/** Two model servers of one service on loopback, whole but for the engine, whose answers stand in the rows. */
export interface PlayedServers {
  readonly metricPorts: readonly number[];
  shadow(): Promise<void>;
  serve(): Promise<void>;
  /** Every kind of refusal that a client can provoke at once. */
  refuse(): Promise<void>;
  ramp(): Promise<void>;
  /** A policy that no server takes, and one that is too old. */
  pushBadPolicies(): Promise<void>;
  /** Inputs change, and other heads come into force that are as wrong: the servers' own breakers begin anew with each. */
  violate(): Promise<void>;
  /** Inputs are as before, and heads come into force that suit them. */
  recover(): Promise<void>;
  switchOff(): Promise<void>;
  killEngine(): Promise<void>;
  close(): Promise<void>;
}

export async function playServers(model: string): Promise<PlayedServers> {
  const servers = await Promise.all(
    [0, 1].map((i) =>
      startTestServer({
        metrics: createServerMetrics(createMetricRegistry(model), '0.1.0'),
        environment: { LAYERCACHE_POD_UID: `pod-${i}` },
      }),
    ),
  );
  const traffic = startTraffic(servers);
  let revision = 0;
  const apply = async (more: Partial<Policy>): Promise<void> => {
    revision++;
    for (const server of servers) {
      const { result, message } = await server.apply(aPolicy({ revision, ...more }));
      if (result !== 'Applied') throw new Error(message);
    }
  };
  const push = async (mark: number): Promise<string> => {
    const pushed = await Promise.all(servers.map((server) => server.push(fakeBundle(mark))));
    return pushed[0]!;
  };
  let mark = 2;
  let stable = await push(mark++);
  const candidate = await push(mark++);
  const change = async (rows: readonly Row[]): Promise<void> => {
    traffic.rows = rows;
    stable = await push(mark++);
    await apply({ stable: aTrack(stable), auditRate: 1 });
  };
  return {
    metricPorts: servers.map(({ metrics }) => metrics),
    shadow: () => apply({ stable: null, exitsEnabled: false, auditRate: 1 }),
    serve: () => apply({ stable: aTrack(stable), auditRate: 0.1 }),
    refuse: () => refuseAll(servers),
    ramp: () =>
      apply({ stable: aTrack(stable), candidate: aCandidate(candidate, 0.5), auditRate: 0.2 }),
    pushBadPolicies: async () => {
      for (const server of servers) {
        const unknown = aTrack(`sha256:${'f'.repeat(64)}`);
        await server.apply(aPolicy({ revision: revision + 100, stable: unknown }));
        await server.apply(aPolicy({ revision: 1, stable: aTrack(stable) }));
      }
    },
    violate: () => change(VIOLATED),
    recover: () => change(NORMAL),
    switchOff: () => apply({ stable: aTrack(stable), exitsEnabled: false, auditRate: 1 }),
    killEngine: async () => {
      await traffic.pause();
      servers[1]!.engine.kill();
      traffic.go();
    },
    close: async () => {
      await traffic.end();
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

interface Traffic {
  rows: readonly Row[];
  /** Resolves when nothing is in flight. */
  pause(): Promise<void>;
  go(): void;
  end(): Promise<void>;
}

/** Requests one after the other on each pod, and a reader of evidence. */
function startTraffic(servers: readonly TestServer[]): Traffic {
  const life = new AbortController();
  let isPaused = false;
  const inFlight = new Set<Promise<unknown>>();
  const track = async (work: Promise<unknown>): Promise<void> => {
    inFlight.add(work);
    await work.finally(() => inFlight.delete(work));
  };
  const traffic: Traffic = {
    rows: NORMAL,
    pause: async () => {
      isPaused = true;
      await Promise.all(inFlight);
    },
    go: () => {
      isPaused = false;
    },
    end: async () => {
      life.abort();
      await loops;
    },
  };
  const repeat = async (
    everyMs: number,
    act: (turn: number) => Promise<unknown>,
  ): Promise<void> => {
    for (let turn = 0; !life.signal.aborted; turn++) {
      if (!isPaused) await track(act(turn));
      await wait(everyMs);
    }
  };
  const loops = Promise.all([
    ...servers.map((server) =>
      repeat(PAUSE_MS, (turn) => server.infer([traffic.rows[turn % traffic.rows.length]!])),
    ),
    repeat(READ_MS, () => Promise.all(servers.map((server) => server.evidence()))),
  ]);
  return traffic;
}

async function refuseAll(servers: readonly TestServer[]): Promise<void> {
  for (const server of servers) {
    const { data } = server;
    await server.infer([EASY], { parameters: { layercache_mode: 'backbone' } });
    await server.infer([NOT_FINITE]);
    await send(data, '/v2/models/other/infer', { method: 'POST', body: inferBody([EASY]) });
    await send(data, INFER, { method: 'POST', body: '{' });
    await send(data, INFER, { method: 'GET' });
    await send(data, INFER, { method: 'POST', body: inferBody([EASY]).replace('FP32', 'INT8') });
    await send(data, '/v1/models/other:predict', { method: 'POST', body: '{"instances": []}' });
  }
}
