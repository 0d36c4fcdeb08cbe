import { Worker } from 'node:worker_threads';
import type { HttpMessage } from './http-message.ts';
import { quantile } from './median.ts';

/**
 * Open-loop load: requests leave at the times of a seeded Poisson process, whether or not earlier ones are answered, and latency counts
 * from the scheduled time. A caller that waits for its answer hides every stall: 2 s of one showed as a p99 of 5 ms (measured).
 */
export interface OpenLoopPlan {
  /** @defaultValue 127.0.0.1 */
  readonly host?: string;
  readonly port: number;
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly requests: number;
  /** Sent in turn. */
  readonly messages: readonly HttpMessage[];
  /** Connections that are open before the first request; more are opened whenever all are busy. @defaultValue 0 */
  readonly connections?: number;
  /** Without a byte for so long a request has failed. @defaultValue 60,000 */
  readonly timeoutMs?: number;
  /** Name of a header, in lower case, whose values are counted. */
  readonly countHeader?: string;
}

/** What the worker gets: the plan with its defaults. */
export type OpenLoopSettings = OpenLoopPlan &
  Required<Pick<OpenLoopPlan, 'host' | 'connections' | 'timeoutMs'>>;

export interface OpenLoopReport {
  /** One entry per request that was sent, in the order of the schedule; milliseconds. */
  readonly scheduledMs: Float64Array;
  /** How late the generator was: a run counts while its p99 stays under 1 ms. */
  readonly lagMs: Float64Array;
  /** From scheduled to the last byte of the answer, or to the failure. */
  readonly latencyMs: Float64Array;
  /** HTTP status; 0: none came. */
  readonly status: Uint16Array;
  /** Network failures by code. */
  readonly failures: Readonly<Record<string, number>>;
  readonly headerValues: Readonly<Record<string, number>>;
  /** Answers that announced the end of their connection. */
  readonly closing: number;
  readonly connectionsOpened: number;
  readonly mostInFlight: number;
  /** From the first scheduled time to the last answer. */
  readonly wallMs: number;
  /** Of the generator's thread. */
  readonly busyMs: number;
}

export interface OpenLoopRun {
  readonly done: Promise<OpenLoopReport>;
  /** Sends nothing more; what is under way is still answered. */
  stop(): void;
}

/** From the bundle as from its source: a worker is plain JavaScript, so it runs from `dist/bundle`. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/bundle/open-loop.mjs' : 'open-loop.mjs',
  import.meta.url,
);

/** In a thread of its own, so that neither the test nor the server under test delays a send. Resolves when sending begins. */
export async function startOpenLoop(plan: OpenLoopPlan): Promise<OpenLoopRun> {
  const settings: OpenLoopSettings = {
    host: '127.0.0.1',
    connections: 0,
    timeoutMs: 60_000,
    ...plan,
  };
  const worker = new Worker(WORKER, { workerData: settings });
  await nextMessage(worker);
  const done = nextMessage(worker).finally(() => worker.terminate());
  // Whoever only stops it learns of a failure when it asks for the report.
  done.catch(() => undefined);
  return {
    done: done as Promise<OpenLoopReport>,
    stop: () => {
      worker.postMessage('stop');
    },
  };
}

function nextMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message) => {
      worker.off('error', reject);
      resolve(message);
    });
  });
}

/** Requests by outcome: a status, or the network's code. */
export function countOutcomes({ status, failures }: OpenLoopReport): Record<string, number> {
  const counts: Record<string, number> = { ...failures };
  for (const one of status) if (one !== 0) counts[one] = (counts[one] ?? 0) + 1;
  return counts;
}

/** Latencies of the answers with this status. */
export function latenciesOf(report: OpenLoopReport, status = 200): number[] {
  return [...report.latencyMs].filter((_, i) => report.status[i] === status);
}

export function lagP99Ms({ lagMs }: OpenLoopReport): number {
  return quantile([...lagMs], 0.99);
}
