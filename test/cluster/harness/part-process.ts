import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';

export interface PartCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly logPath: string;
  /** Words before the command that make it run in the node's namespaces; empty on loopback. */
  readonly enter?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface PartProcess {
  readonly isRunning: boolean;
  readonly signal: (name: NodeJS.Signals) => void;
  /** SIGKILL, and waits until the process is gone. */
  readonly kill: () => Promise<void>;
  /** The end of what it wrote. */
  readonly logTail: () => string;
}

/**
 * Starts a part of the cluster. The kernel kills it when this process dies, however that happens (parent death
 * signal), so a test run that is killed leaves nothing running.
 */
export function startPart(part: PartCommand): PartProcess {
  const { command, args, logPath, enter = [], environment = {} } = part;
  const log = openSync(logPath, 'a');
  const words = ['--pdeathsig', 'KILL', '--', ...enter, command, ...args];
  const child = spawn('setpriv', words, {
    stdio: ['ignore', log, log],
    // Its own session: an interrupt typed in a terminal is for the test run, which then ends the parts in order.
    detached: true,
    env: { ...process.env, ...environment },
  });
  closeSync(log);
  child.unref();
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => {
      resolve();
    });
    child.once('exit', () => {
      resolve();
    });
  });
  const isRunning = () => child.pid !== undefined && !hasEnded(child);
  const signal = (name: NodeJS.Signals) => {
    if (!isRunning()) return;
    const inner = enteredPid(child.pid!);
    process.kill(inner, name);
    if (name === 'SIGSTOP') waitUntilStopped(inner);
    // nsenter stops together with the program that it waits for, and then has to be woken as well.
    if (inner !== child.pid && name !== 'SIGSTOP') process.kill(child.pid!, 'SIGCONT');
  };
  return {
    get isRunning() {
      return isRunning();
    },
    signal,
    kill: async () => {
      if (hasEnded(child)) return;
      // Unreferenced until now, or a running part would keep the test run from ending.
      child.ref();
      signal('SIGKILL');
      await gone;
    },
    logTail: () => readFileSync(logPath, 'utf8').split('\n').slice(-15).join('\n'),
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A process of many threads goes on answering until the last of them has noticed; on a busy machine that takes a while. */
function waitUntilStopped(pid: number): void {
  const isStopped = () =>
    readdirSync(`/proc/${pid}/task`).every((thread) =>
      /^State:\t[TZX]/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')),
    );
  for (let waits = 0; waits < 1_000 && !isStopped(); waits += 1) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

/** The program that nsenter forked into the process namespace; nsenter itself only waits for it. */
function enteredPid(pid: number): number {
  if (!readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('nsenter')) return pid;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? pid : Number(children.split(' ')[0]);
}
