import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/bundle/operator.mjs', import.meta.url));

export interface OperatorProcess {
  readonly pid: number;
  /** Of the metrics port, once it listens. */
  readonly port: () => number;
  /** Log lines so far. */
  readonly lines: readonly LogLine[];
  readonly stderr: () => string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly hasEnded: () => boolean;
  readonly says: (message: string, deadlineMs?: number) => Promise<LogLine>;
  readonly get: (path: string, method?: string) => Promise<{ status: number; text: string }>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Starts the bundled operator; the environment holds these variables alone. The caller kills it. */
export function startOperatorProcess(
  environment: Readonly<Record<string, string>>,
): OperatorProcess {
  // It dies with the tests, however these end.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, PROGRAM], {
    env: {
      PATH: process.env.PATH,
      LAYERCACHE_METRICS_PORT: '0',
      LAYERCACHE_BIND_HOST: '127.0.0.1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: LogLine[] = [];
  let stderr = '';
  let isEnded = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as LogLine);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    // All that it wrote has been read.
    child.on('close', (code, signal) => {
      isEnded = true;
      resolve({ code, signal });
    });
  });
  const find = (message: string): LogLine => {
    const line = lines.find(({ msg }) => msg === message);
    if (line !== undefined) return line;
    throw new Error(
      `the operator has not said "${message}":\n${stderr}${JSON.stringify(lines.slice(-10), null, 1)}`,
    );
  };
  const port = (): number => Number(find('started').port);
  return {
    pid: child.pid ?? 0,
    port,
    lines,
    stderr: () => stderr,
    ended,
    hasEnded: () => isEnded,
    says: (message, deadlineMs = 15_000) => eventually(() => find(message), deadlineMs),
    get: async (path, method = 'GET') => {
      const answer = await fetch(`http://127.0.0.1:${port()}${path}`, { method });
      return { status: answer.status, text: await answer.text() };
    },
    kill: (signal) => {
      child.kill(signal);
    },
  };
}
