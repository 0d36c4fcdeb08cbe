import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import type { Reply } from './endpoint.ts';

export interface BenchPlan {
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly clock: Clock;
  readonly interrupt: AbortSignal;
  /** Sends request number `index`; every second one is kept from leaving early. */
  readonly send: (index: number, mode: 'auto' | 'backbone') => Promise<Reply>;
}

/** Latencies of one kind of request, from when it was due. */
export interface BenchSide {
  readonly requests: number;
  readonly failed: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface BenchResult {
  readonly seconds: number;
  readonly sent: number;
  readonly answeredPerSecond: number;
  /** Latest that a request was sent after it was due. */
  readonly latestMs: number;
  /** Both kinds at the same time on the same server. */
  readonly auto: BenchSide;
  readonly backbone: BenchSide;
  /** Mean latency with exits over without; null: one of them has none. */
  readonly meanRatio: number | null;
  readonly exits: Readonly<Record<string, number>>;
  readonly statuses: Readonly<Record<string, number>>;
  /** What the first answer that was none said; null: all were answered. */
  readonly firstFailure: string | null;
}

interface Sample {
  readonly mode: 'auto' | 'backbone';
  readonly latencyMs: number;
  readonly status: number;
  readonly exit: string | null;
  readonly text: string;
}

/** Open loop: requests are sent when they are due, whether or not earlier ones are answered. */
export async function runBench({
  ratePerSecond,
  durationMs,
  clock,
  interrupt,
  send,
}: BenchPlan): Promise<BenchResult> {
  const startMs = clock.monotonicMs();
  const samples: Sample[] = [];
  const open: Promise<void>[] = [];
  let latestMs = 0;
  const total = Math.max(1, Math.floor((ratePerSecond * durationMs) / 1000));
  for (let index = 0; index < total && !interrupt.aborted; index++) {
    const dueMs = startMs + (1000 * index) / ratePerSecond;
    const aheadMs = dueMs - clock.monotonicMs();
    if (aheadMs > 0.5) await wait(aheadMs, undefined, { signal: interrupt }).catch(() => undefined);
    const sentMs = clock.monotonicMs();
    latestMs = Math.max(latestMs, sentMs - dueMs);
    // Waiting in a full queue counts, so latency runs from when a request was due; a timer that is early gives no time back.
    const fromMs = Math.min(dueMs, sentMs);
    const mode = index % 2 === 0 ? 'auto' : 'backbone';
    open.push(
      send(index, mode).then(({ status, exit, text }) => {
        samples.push({ mode, status, exit, text, latencyMs: clock.monotonicMs() - fromMs });
      }),
    );
  }
  await Promise.all(open);
  const seconds = (clock.monotonicMs() - startMs) / 1000;
  return { seconds, sent: open.length, latestMs, ...summarise(samples, seconds) };
}

function summarise(
  samples: readonly Sample[],
  seconds: number,
): Omit<BenchResult, 'seconds' | 'sent' | 'latestMs'> {
  const [auto, backbone] = (['auto', 'backbone'] as const).map((mode) =>
    sideOf(samples.filter((sample) => sample.mode === mode)),
  ) as [BenchSide, BenchSide];
  const answered = samples.filter(({ status }) => status === 200);
  const failure = samples.find(({ status }) => status !== 200);
  const isComparable = auto.meanMs > 0 && backbone.meanMs > 0;
  return {
    answeredPerSecond: answered.length / seconds,
    auto,
    backbone,
    meanRatio: isComparable ? auto.meanMs / backbone.meanMs : null,
    exits: countOf(
      answered.filter(({ mode }) => mode === 'auto').map(({ exit }) => exit ?? 'unknown'),
    ),
    firstFailure: failure === undefined ? null : failure.text.slice(0, MOST_TEXT),
    statuses: countOf(samples.map(({ status }) => (status === 0 ? 'no answer' : String(status)))),
  };
}

const MOST_TEXT = 300;

function sideOf(samples: readonly Sample[]): BenchSide {
  const sorted = samples
    .filter(({ status }) => status === 200)
    .map(({ latencyMs }) => latencyMs)
    .sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const sum = sorted.reduce((total, ms) => total + ms, 0);
  return {
    requests: samples.length,
    failed: samples.length - sorted.length,
    meanMs: sorted.length === 0 ? 0 : sum / sorted.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
