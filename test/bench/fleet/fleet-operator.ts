import { spawn } from 'node:child_process';
import { mkdirSync, openSync, closeSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { freePorts } from '../../cluster/harness/free-ports.ts';

/** One process of the operator, as an installation starts it; its log lies in a file. */
export interface FleetOperator {
  readonly pid: number;
  readonly logPath: string;
  /** Resolves once it leads with full caches. */
  ready(deadlineMs: number): Promise<void>;
  /** Of its metrics page: sums of series by family and labels. */
  metrics(): Promise<OperatorCounters>;
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

export async function startFleetOperator(start: OperatorStart): Promise<FleetOperator> {
  const { kubeconfigPath, namespace, folder, name, isProfiled, environment } = start;
  mkdirSync(folder, { recursive: true });
  const logPath = join(folder, `${name}.log`);
  const log = openSync(logPath, 'w');
  const [port = 0] = await freePorts(1);
  const profile = isProfiled
    ? ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`]
    : [];
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', '--', process.execPath, ...profile, PROGRAM],
    {
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
    },
  );
  closeSync(log);
  let isEnded = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      isEnded = true;
      resolve();
    });
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? 0,
    logPath,
    ready: (deadlineMs) =>
      eventually(() => {
        const said = readFileSync(logPath, 'utf8');
        if (isEnded) throw new Error(`the operator ended: ${said.slice(-2_000)}`);
        if (!said.includes('"caches full"'))
          throw new Error(`the operator is not ready: ${logPath}`);
      }, deadlineMs),
    metrics: async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
      return toCounters(await answer.text());
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

export function toCounters(page: string): OperatorCounters {
  const apiCalls: Record<string, number> = {};
  const lists: Record<string, number> = {};
  let passes = 0;
  for (const line of page.split('\n')) {
    const [, name = '', labels = '', value = '0'] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    const labelOf = (label: string): string =>
      new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1] ?? '';
    if (name === 'rest_client_requests_total') addTo(apiCalls, labelOf('method'), Number(value));
    if (name === 'layercache_cache_lists_total') addTo(lists, labelOf('cause'), Number(value));
    if (name === 'controller_runtime_reconcile_total') passes += Number(value);
  }
  return { apiCalls, lists, passes };
}

function addTo(sums: Record<string, number>, name: string, value: number): void {
  if (value > 0) sums[name] = (sums[name] ?? 0) + value;
}
