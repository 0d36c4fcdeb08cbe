import type {
  CaseResults,
  ClosedFigures,
  FailedLane,
  MeasuredLane,
  PeerResults,
} from '../../../bench/peers/results.ts';

/** Throughput at 1, 8 and 32 callers; latencies and costs follow from it. */
export function closed(perSecond: readonly number[]): ClosedFigures[] {
  return [1, 8, 32].map((concurrency, i) => {
    const rate = perSecond[i] ?? 1;
    return {
      concurrency,
      perSecond: rate,
      p50Ms: (1_000 * concurrency) / rate,
      p99Ms: (2_000 * concurrency) / rate,
      processorMsPerRequest: 1_000 / rate,
      generatorShare: 0.25,
    };
  });
}

export function aLane(more: Partial<MeasuredLane> = {}): MeasuredLane {
  return {
    ...{ server: 'Other', version: '1.2.3', layout: { workers: 1, threads: 2 } },
    ...{ body: 'v2, binary', kind: 'binary', failure: null, memoryMib: 400, idleMsPerSecond: 0 },
    closed: closed([100, 200, 400]),
    open: { p50Ms: 5, p99Ms: 9, failed: 0, requests: 300, lagP99Ms: 0.5 },
    ...more,
  };
}

export function ours(more: Partial<MeasuredLane> = {}): MeasuredLane {
  return aLane({
    ...{ server: 'Layercache', layout: { workers: 2, threads: 1 }, memoryMib: 200 },
    closed: closed([1_000, 4_000, 5_000]),
    open: { p50Ms: 1, p99Ms: 2, failed: 0, requests: 300, lagP99Ms: 0.5 },
    ...more,
  });
}

export function aFailedLane(server: string, failure: string): FailedLane {
  const { version, layout, body, kind } = aLane();
  return { server, version, layout, body, kind, failure };
}

export function aCase(lanes: CaseResults['lanes']): CaseResults {
  return { name: 'A model', rowShape: [3, 32, 32], ratePerSecond: 120, lanes };
}

export function someResults(cases: readonly CaseResults[]): PeerResults {
  return {
    date: '2026-11-26',
    machine: {
      ...{ cpu: 'A processor', cores: 2, memoryGib: 24, kernel: '6.1', node: '20.20.2' },
      ...{ onnxruntime: '1.30.0', loadBefore: 0.25 },
    },
    plan: { rounds: 3, seconds: 2, openSeconds: 3, warmSeconds: 4 },
    cases,
  };
}
