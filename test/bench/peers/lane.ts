import type { HttpMessage } from '../http-message.ts';
import type { OpenLoopReport } from '../open-loop.ts';
import { processorSeconds } from '../processor-time.ts';
import { treeMemoryMib } from '../process-tree.ts';
import type { ClosedRun } from '../server/drive.ts';
import type { Program } from '../server/program.ts';
import type { Contender } from './contender.ts';
import type { Protocol } from './protocol.ts';
import type { Lane, LaneName } from './results.ts';
import { closedFigures, idleMsPerSecond, openFigures } from './summary.ts';

interface Used {
  readonly processorSeconds: number;
  readonly wallSeconds: number;
}

/** A server that runs, and what it has used in its own turns. */
export interface RunningServer {
  readonly program: Program;
  readonly since: { readonly processorSeconds: number; readonly startMs: number };
  readonly own: Used[];
}

export function watched(program: Program): RunningServer {
  const since = { processorSeconds: processorSeconds(program.pid), startMs: performance.now() };
  return { program, since, own: [] };
}

/** A server under one kind of request, while it is measured. */
export interface RunningLane {
  readonly name: LaneName;
  readonly protocol: Protocol;
  readonly messages: readonly HttpMessage[];
  /** Null: it could not be started. */
  readonly server: RunningServer | null;
  /** The first thing that went wrong; it gets no turn afterwards. */
  failure: string | null;
  readonly closed: Map<number, ClosedRun[]>;
  readonly open: OpenLoopReport[];
}

export function laneName(contender: Contender, protocol: Protocol): LaneName {
  return {
    server: contender.name,
    version: contender.version,
    layout: contender.layout,
    body: protocol.label,
    kind: protocol.kind,
  };
}

/** One turn: what goes wrong in it is kept and told, and the other servers go on. */
export async function takeTurn(
  lane: RunningLane,
  turn: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const { server } = lane;
  if (server === null || lane.failure !== null) return;
  const before = processorSeconds(server.program.pid);
  const startMs = performance.now();
  try {
    await turn(server);
  } catch (error) {
    failLane(lane, error instanceof Error ? error.message : String(error));
  }
  server.own.push({
    processorSeconds: processorSeconds(server.program.pid) - before,
    wallSeconds: (performance.now() - startMs) / 1_000,
  });
}

export function failLane(
  lane: { readonly name: LaneName; failure: string | null },
  why: string,
): void {
  lane.failure = why;
  process.stderr.write(`SKIPPED: ${lane.name.server} (${lane.name.body}): ${why}\n`);
}

export function laneResults({ name, server, failure, closed, open }: RunningLane): Lane {
  if (failure !== null || server === null)
    return { ...name, failure: failure ?? 'it did not start' };
  const { program, since, own } = server;
  const sum = (of: (one: Used) => number): number => own.reduce((all, one) => all + of(one), 0);
  return {
    ...name,
    failure: null,
    closed: [...closed].map(([concurrency, runs]) => closedFigures(concurrency, runs)),
    open: openFigures(open),
    memoryMib: Math.round(treeMemoryMib(program.pid)),
    idleMsPerSecond: idleMsPerSecond(
      {
        processorSeconds: processorSeconds(program.pid) - since.processorSeconds,
        wallSeconds: (performance.now() - since.startMs) / 1_000,
      },
      {
        processorSeconds: sum((one) => one.processorSeconds),
        wallSeconds: sum((one) => one.wallSeconds),
      },
    ),
  };
}
