import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CliError } from '../../errors.ts';

/** How a child ended: its exit code, or the signal that ended it. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A JSON log line of a child (pino). */
export interface ChildLogLine {
  readonly msg?: unknown;
  readonly level?: unknown;
  readonly [key: string]: unknown;
}

/**
 * A process that ends with its parent: its standard input is a pipe which it watches (EXIT_WITH_STDIN), so even a killed
 * parent leaves nothing behind. It runs in a group of its own: Ctrl-C at the terminal reaches the parent alone.
 */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly ended: Promise<ChildEnd>;
  readonly hasEnded: boolean;
  /** Last lines it wrote to standard error, and log lines of level error. */
  tail(): string;
  /** Resolves with the first log line that has this `msg`; null when the child ends or the deadline passes first. */
  waitFor(message: string, deadlineMs: number): Promise<ChildLogLine | null>;
  /** SIGTERM, then SIGKILL after the deadline. */
  stop(deadlineMs: number): Promise<ChildEnd>;
  kill(): void;
}

export interface ChildOptions {
  readonly name: string;
  readonly program: string;
  /** Of Node itself. */
  readonly nodeFlags?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Every line of output, for --debug. */
  readonly onLine?: ((name: string, line: string) => void) | undefined;
}

const TAIL_LINES = 20;

export function startChild(options: ChildOptions): Child {
  const flags = ['--enable-source-maps', ...(options.nodeFlags ?? [])];
  const spawned = spawn(process.execPath, [...flags, options.program], {
    env: { ...options.environment, LAYERCACHE_EXIT_WITH_STDIN: 'true' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  if (spawned.pid === undefined) {
    throw new CliError('ServerFailed', {
      where: options.name,
      why: 'the process could not be started.',
    });
  }
  return watch(spawned, spawned.pid, options);
}

type Listener = (line: ChildLogLine | null) => void;

function watch(spawned: ChildProcess, pid: number, options: ChildOptions): Child {
  const tail: string[] = [];
  const seen: ChildLogLine[] = [];
  const listeners = new Set<Listener>();
  let end: ChildEnd | null = null;
  const remember = (line: string): void => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
  };
  readLines(spawned.stderr, (line) => {
    options.onLine?.(options.name, line);
    remember(line);
  });
  readLines(spawned.stdout, (line) => {
    options.onLine?.(options.name, line);
    const entry = parseLogLine(line);
    if (entry === null || isSevere(entry)) remember(line);
    if (entry === null) return;
    seen.push(entry);
    if (seen.length > TAIL_LINES) seen.shift();
    for (const listener of listeners) listener(entry);
  });
  // A child that is gone closes its end first; EPIPE then is no news.
  spawned.stdin?.on('error', () => undefined);
  const ended = new Promise<ChildEnd>((resolve) => {
    spawned.once('close', (code, signal) => {
      end = { code, signal };
      for (const listener of listeners) listener(null);
      resolve(end);
    });
  });
  return {
    name: options.name,
    pid,
    ended,
    get hasEnded() {
      return end !== null;
    },
    tail: () => tail.join('\n'),
    waitFor: (message, deadlineMs) => {
      const already = seen.find((line) => line.msg === message);
      if (already !== undefined) return Promise.resolve(already);
      if (end !== null) return Promise.resolve(null);
      return waitForLine(listeners, message, deadlineMs);
    },
    stop: (deadlineMs) => (end === null ? stopChild(spawned, ended, deadlineMs) : ended),
    kill: () => {
      spawned.kill('SIGKILL');
    },
  };
}

function readLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}

function parseLogLine(line: string): ChildLogLine | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as ChildLogLine;
  } catch {
    return null;
  }
}

/** pino: 50 = error. */
function isSevere(entry: ChildLogLine): boolean {
  const level = entry.level;
  return typeof level === 'number' ? level >= 50 : level === 'error' || level === 'fatal';
}

function waitForLine(
  listeners: Set<Listener>,
  message: string,
  deadlineMs: number,
): Promise<ChildLogLine | null> {
  return new Promise((resolve) => {
    const finish = (line: ChildLogLine | null): void => {
      clearTimeout(timer);
      listeners.delete(listener);
      resolve(line);
    };
    const listener: Listener = (line) => {
      if (line === null || line.msg === message) finish(line);
    };
    const timer = setTimeout(finish, deadlineMs, null);
    listeners.add(listener);
  });
}

async function stopChild(
  spawned: ChildProcess,
  ended: Promise<ChildEnd>,
  deadlineMs: number,
): Promise<ChildEnd> {
  spawned.kill('SIGTERM');
  const timer = setTimeout(() => {
    spawned.kill('SIGKILL');
  }, deadlineMs);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
}

/** A sentence for people, and below it the lines. */
export function lastWords(child: Pick<Child, 'tail'>): string {
  const tail = child.tail();
  return tail === '' ? 'It wrote nothing.' : `The last it wrote:\n${tail}\n`;
}
