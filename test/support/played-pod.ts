import { createMetricRegistry } from '../../server/metrics.ts';
import { createRandom } from '../../server/core/random.ts';

/** The metrics of a model server that answered so many rows, written by the registry of the server itself. */
export interface PlayedPod {
  /** Answers rows at each exit; of every fiftieth the backbone's answer is known too. */
  serve(rows: Readonly<Record<string, number>>): void;
  fail(code: string, count: number): void;
  /** The exit may not answer in this pod. */
  switchOff(exit: string): void;
  page(): Promise<string>;
}

const TRACK = 'stable';
/** Seconds of a request by how deep it goes. */
const LATENCY: Readonly<Record<string, number>> = { early: 0.004, late: 0.009, backbone: 0.021 };

export function createPlayedPod(seed = 1): PlayedPod {
  const { metrics: m, render, followExits } = createMetricRegistry('vision');
  const served = new Map<string, number>();
  const random = createRandom(seed);
  followExits(new Set(['early', 'late']));
  for (const exit of ['early', 'late']) m.exitEnabled.set({ exit, track: TRACK }, 1);
  m.queueCapacity.set({}, 1_024);
  m.engineMemory.set({ kind: 'rss' }, 402_000_000);
  return {
    serve: (rows) => {
      for (const [exit, count] of Object.entries(rows)) {
        m.rows.inc({ exit, track: TRACK }, count);
        m.requests.inc({ protocol: 'v2', code: 'ok' }, count);
        const before = served.get(exit) ?? 0;
        served.set(exit, before + count);
        const every = (rows: number): number =>
          Math.floor((before + count) / rows) - Math.floor(before / rows);
        const audited = every(50);
        const wrong = exit === 'backbone' ? 0 : every(5_000);
        m.audits.inc({ exit, track: TRACK, result: 'disagree' }, wrong);
        m.auditLoss.inc({ exit, track: TRACK }, wrong);
        m.audits.inc({ exit, track: TRACK, result: 'agree' }, audited - wrong);
        if (exit !== 'backbone') m.computeAvoided.inc({ exit }, count * 0.011);
        for (let i = 0; i < Math.min(count, 500); i++) {
          const seconds =
            (LATENCY[exit] ?? 0.02) * (0.6 + random.uniform() + 3 * random.uniform() ** 12);
          m.requestDuration.observe({ exit, track: TRACK }, seconds);
        }
      }
      m.batchRows.observe({}, 6);
      m.queueRows.set({}, Math.floor(8 * random.uniform()));
      m.sampleReservoir.set({}, 2_860);
    },
    fail: (code, count) => {
      m.requests.inc({ protocol: 'v2', code }, count);
    },
    switchOff: (exit) => {
      m.exitEnabled.set({ exit, track: TRACK }, 0);
    },
    page: async () => (await render()).text,
  };
}
