import { expect, test } from 'vitest';
import { closedFigures, idleMsPerSecond, openFigures } from '../../../bench/peers/summary.ts';
import type { OpenLoopReport } from '../../../bench/open-loop.ts';
import type { ClosedRun } from '../../../bench/server/drive.ts';

function aRun(requests: number, latencyMs: number): ClosedRun {
  return {
    ...{ requests, wallSeconds: 2, processorSeconds: 1, generatorSeconds: 0.5 },
    latencyMs: [latencyMs, latencyMs, latencyMs * 3],
  };
}

function aReport(latencyMs: readonly number[], status: readonly number[]): OpenLoopReport {
  return {
    ...{ scheduledMs: new Float64Array(), lagMs: Float64Array.of(0.1, 0.2) },
    ...{ latencyMs: Float64Array.from(latencyMs), status: Uint16Array.from(status) },
    ...{ failures: {}, headerValues: {}, closing: 0, connectionsOpened: 1, mostInFlight: 1 },
    ...{ wallMs: 1_000, busyMs: 10 },
  };
}

test('figures of a load are medians over its rounds', () => {
  expect(closedFigures(8, [aRun(100, 4), aRun(900, 1), aRun(200, 3)])).toEqual({
    ...{ concurrency: 8, perSecond: 100, p50Ms: 3, p99Ms: 9 },
    ...{ processorMsPerRequest: 5, generatorShare: 0.25 },
  });
});

test('latencies of the open loop are those of answers 200, and all others are counted', () => {
  const reports = [aReport([1, 2, 60], [200, 200, 503]), aReport([5, 5, 5], [200, 200, 0])];
  expect(openFigures(reports)).toEqual({
    ...{ p50Ms: 1, p99Ms: 2, failed: 2, requests: 6, lagP99Ms: 0.2 },
  });
});

test('idle is what a server used outside its own turns', () => {
  const all = { processorSeconds: 12, wallSeconds: 110 };
  expect(idleMsPerSecond(all, { processorSeconds: 10, wallSeconds: 10 })).toBe(20);
  expect(idleMsPerSecond(all, { processorSeconds: 13, wallSeconds: 10 })).toBe(0);
  expect(idleMsPerSecond(all, { processorSeconds: 10, wallSeconds: 110 })).toBe(0);
});
