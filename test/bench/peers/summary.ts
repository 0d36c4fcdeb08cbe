import { quantile } from '../median.ts';
import {
  generatorShare,
  medianOf,
  p50,
  p99,
  perSecond,
  processorMs,
} from '../server/closed-figures.ts';
import type { ClosedRun } from '../server/drive.ts';
import { lagP99Ms, latenciesOf, type OpenLoopReport } from '../open-loop.ts';
import type { ClosedFigures, OpenFigures } from './results.ts';

export function closedFigures(concurrency: number, runs: readonly ClosedRun[]): ClosedFigures {
  return {
    concurrency,
    perSecond: digits(medianOf(runs, perSecond)),
    p50Ms: digits(medianOf(runs, p50)),
    p99Ms: digits(medianOf(runs, p99)),
    processorMsPerRequest: digits(medianOf(runs, processorMs)),
    generatorShare: digits(medianOf(runs, generatorShare)),
  };
}

export function openFigures(reports: readonly OpenLoopReport[]): OpenFigures {
  const latency = (q: number): number =>
    digits(medianOf(reports, (report) => quantile(latenciesOf(report), q)));
  const requests = reports.reduce((sum, { status }) => sum + status.length, 0);
  const answered = reports.reduce((sum, report) => sum + latenciesOf(report).length, 0);
  return {
    p50Ms: latency(0.5),
    p99Ms: latency(0.99),
    failed: requests - answered,
    requests,
    lagP99Ms: digits(Math.max(...reports.map(lagP99Ms))),
  };
}

/** What a server took while it had nothing to do, in milliseconds of processor time a second; 0 where it was never idle. */
export function idleMsPerSecond(
  all: { readonly processorSeconds: number; readonly wallSeconds: number },
  own: { readonly processorSeconds: number; readonly wallSeconds: number },
): number {
  const wallSeconds = all.wallSeconds - own.wallSeconds;
  if (wallSeconds <= 0) return 0;
  const processorSeconds = Math.max(0, all.processorSeconds - own.processorSeconds);
  return digits((processorSeconds * 1_000) / wallSeconds);
}

/** Four of them: more would only change the file. */
function digits(value: number): number {
  return Number(value.toPrecision(4));
}
