import { fork, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import type { AppliedPolicy, FromPods, PodsReport, ToPods } from './messages.ts';

const PROGRAM = resolve('dist/bundle/fleet-pods.mjs');
const PODS_PER_PROCESS = 2_500;

/** Simulated pods in a few processes. */
export interface FleetProcesses {
  readonly pids: readonly number[];
  /** Rejects when one of them ends before `stop`. */
  readonly ended: Promise<never>;
  traffic(traffic: Omit<Extract<ToPods, { kind: 'Traffic' }>, 'kind'>): void;
  /** Whether pods leave pushes of a policy without an answer, and have their mounts alone. */
  dropPushes(areDropped: boolean): void;
  /** What happened since the last report, in all of them. */
  report(): Promise<Omit<PodsReport, 'kind'>>;
  /** Every policy that comes into force anywhere, until the returned function is called. */
  onApplied(handler: (applied: AppliedPolicy) => void): () => void;
  stop(): Promise<void>;
}

/** Resolves once all of them follow the pods of this API server. */
export async function startFleetProcesses(
  kubeconfigPath: string,
  pods: number,
): Promise<FleetProcesses> {
  const parts = Math.max(1, Math.ceil(pods / PODS_PER_PROCESS));
  const handlers = new Set<(applied: AppliedPolicy) => void>();
  const children = Array.from({ length: parts }, (_, part) =>
    fork(PROGRAM, [kubeconfigPath, `${part}`, `${parts}`], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  const messages = children.map((child) => new MessageBox(child));
  for (const box of messages) {
    box.on('Applied', ({ applied }) => {
      for (const one of applied) for (const handler of handlers) handler(one);
    });
  }
  const ended = Promise.race(messages.map((box) => box.ended));
  // Nobody needs to look.
  ended.catch(() => undefined);
  await Promise.all(messages.map((box) => box.next('Ready')));
  return {
    pids: children.map(({ pid }) => pid ?? 0),
    ended,
    traffic: (traffic) => {
      for (const box of messages) box.send({ kind: 'Traffic', ...traffic });
    },
    dropPushes: (areDropped) => {
      for (const box of messages) box.send({ kind: 'Pushes', areDropped });
    },
    report: async () => {
      const reports = messages.map(async (box) => {
        const answer = box.next('Report');
        box.send({ kind: 'Report' });
        return answer;
      });
      return mergeReports(await Promise.all(reports));
    },
    onApplied: (handler) => {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    stop: async () => {
      await Promise.all(messages.map((box) => box.end()));
    },
  };
}

type MessageOf<Kind extends FromPods['kind']> = Extract<FromPods, { kind: Kind }>;

class MessageBox {
  readonly #child: ChildProcess;
  readonly ended: Promise<never>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = new Promise((_, reject) => {
      child.once('exit', (code, signal) => {
        reject(new Error(`a process of simulated pods ended (${String(code ?? signal)})`));
      });
    });
    this.ended.catch(() => undefined);
  }

  on<Kind extends FromPods['kind']>(kind: Kind, handler: (message: MessageOf<Kind>) => void): void {
    this.#child.on('message', (message: FromPods) => {
      if (message.kind === kind) handler(message as MessageOf<Kind>);
    });
  }

  next<Kind extends FromPods['kind']>(kind: Kind): Promise<MessageOf<Kind>> {
    const came = new Promise<MessageOf<Kind>>((resolve) => {
      const take = (message: FromPods): void => {
        if (message.kind !== kind) return;
        this.#child.removeListener('message', take);
        resolve(message as MessageOf<Kind>);
      };
      this.#child.on('message', take);
    });
    return Promise.race([came, this.ended]);
  }

  send(message: ToPods): void {
    this.#child.send(message);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended.catch(() => undefined);
  }
}

export function mergeReports(reports: readonly PodsReport[]): Omit<PodsReport, 'kind'> {
  const sum = (of: (report: PodsReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const calls: Record<string, number> = {};
  for (const report of reports) {
    for (const [name, count] of Object.entries(report.calls)) {
      calls[name] = (calls[name] ?? 0) + count;
    }
  }
  return {
    pods: sum(({ pods }) => pods),
    connections: sum(({ connections }) => connections),
    handshakes: sum(({ handshakes }) => handshakes),
    calls,
    evidenceLagMs: reports.flatMap(({ evidenceLagMs }) => evidenceLagMs).sort((a, b) => a - b),
  };
}
