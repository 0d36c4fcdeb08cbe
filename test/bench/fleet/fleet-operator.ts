import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, closeSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { freePorts } from '../../cluster/harness/free-ports.ts';

/** The operator as an installation starts it: one process, and the next when it ends, as a kubelet does it. Its log lies in a file. */
export interface FleetOperator {
  /** Of the process that runs now. */
  readonly pid: number;
  /** How often it ended by itself, as one that lost its Lease does. */
  readonly restarts: number;
  /** Resolves once the first process leads with full caches. */
  ready(deadlineMs: number): Promise<void>;
  /** Of its metrics page: sums of series by family and labels. */
  metrics(): Promise<OperatorCounters>;
  /** Services that it has come to a status for: after a start it first asks each of their pods. */
  reported(): Promise<number>;
  /** SIGTERM and a while; resolves when it is gone. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Counters since its start. */
export interface OperatorCounters {
  /** Calls of the API server by method. */
  readonly apiCalls: Readonly<Record<string, number>>;
  /** Lists by cause, of all kinds. */
  readonly lists: Readonly<Record<string, number>>;
  readonly passes: number;
  /** From the beginning to the end of each pass, with its waits. */
  readonly passSeconds: number;
}

export interface OperatorStart {
  readonly kubeconfigPath: string;
  readonly namespace: string;
  /** Where its log and its profile go. */
  readonly folder: string;
  readonly name: string;
  readonly isProfiled: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

const PROGRAM = resolve('dist/bundle/operator.mjs');
const STOP_MS = 30_000;
const RESTART_MS = 1_000;
/** So many ends before it was ready once are no bad luck. */
const MOST_ENDS = 3;
/** It may be between two processes. */
const ANSWER_MS = 60_000;

export async function startFleetOperator(start: OperatorStart): Promise<FleetOperator> {
  mkdirSync(start.folder, { recursive: true });
  const logPath = join(start.folder, `${start.name}.log`);
  const log = openSync(logPath, 'w');
  const [port = 0] = await freePorts(1);
  const ending = new AbortController();
  const isEnding = (): boolean => ending.signal.aborted;
  let restarts = 0;
  let child = spawnOperator(start, port, log);
  const isOver = keepRunning();

  async function keepRunning(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => child.once('exit', resolve));
      if (isEnding()) return;
      restarts += 1;
      await wait(RESTART_MS);
      if (isEnding()) return;
      child = spawnOperator(start, port, log);
    }
  }
  const page = (): Promise<string> =>
    eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
      return answer.text();
    }, ANSWER_MS);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    ending.abort();
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await isOver;
    clearTimeout(timer);
    closeSync(log);
  };
  return {
    get pid() {
      return child.pid ?? 0;
    },
    get restarts() {
      return restarts;
    },
    ready: (deadlineMs) =>
      eventually(() => {
        const said = readFileSync(logPath, 'utf8');
        if (said.includes('"caches full"')) return;
        const what = restarts < MOST_ENDS ? 'is not ready' : 'ends again and again';
        throw new Error(`the operator ${what} (${logPath}): ${said.slice(-2_000)}`);
      }, deadlineMs),
    metrics: async () => toCounters(await page()),
    reported: async () => countReported(await page()),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

function spawnOperator(start: OperatorStart, port: number, log: number): ChildProcess {
  const { kubeconfigPath, namespace, folder, name, isProfiled, environment } = start;
  const profile = isProfiled ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : [];
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, ...profile, PROGRAM], {
    stdio: ['ignore', log, log],
    env: {
      PATH: process.env.PATH,
      LAYERCACHE_KUBECONFIG: kubeconfigPath,
      LAYERCACHE_NAMESPACE: namespace,
      LAYERCACHE_POD_NAME: name,
      LAYERCACHE_RELEASE: 'fleet',
      LAYERCACHE_SERVER_IMAGE: 'registry.example.com/server:1',
      LAYERCACHE_METRICS_PORT: String(port),
      LAYERCACHE_BIND_HOST: '127.0.0.1',
      ...environment,
    },
  });
}

export function toCounters(page: string): OperatorCounters {
  const apiCalls: Record<string, number> = {};
  const lists: Record<string, number> = {};
  let passes = 0;
  let passSeconds = 0;
  for (const line of page.split('\n')) {
    const [, name = '', labels = '', value = '0'] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    const labelOf = (label: string): string =>
      new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1] ?? '';
    if (name === 'rest_client_requests_total') addTo(apiCalls, labelOf('method'), Number(value));
    if (name === 'layercache_cache_lists_total') addTo(lists, labelOf('cause'), Number(value));
    if (name === 'controller_runtime_reconcile_total') passes += Number(value);
    if (name === 'controller_runtime_reconcile_time_seconds_sum') passSeconds += Number(value);
  }
  return { apiCalls, lists, passes, passSeconds };
}

export function countReported(page: string): number {
  return page.split('\n').filter((line) => line.startsWith('layercache_service_info{')).length;
}

function addTo(sums: Record<string, number>, name: string, value: number): void {
  if (value > 0) sums[name] = (sums[name] ?? 0) + value;
}
