import { drawRows, type SimulatedRows } from '../../support/exit-simulation.ts';
import { driftRows } from '../../support/simulated-fleet.ts';
import { seededRandom, type SeededRandom } from '../../support/seeded-random.ts';

/** Rows of one pod since its last window. */
export interface TrafficRows {
  readonly rows: SimulatedRows;
  /** Per row: the draws of audit and track. */
  readonly draws: readonly (readonly number[])[];
  readonly own: readonly number[];
}

/** Rows that pods answer; those of services that drift are wrong more often, whatever their score. */
export interface SyntheticTraffic {
  next(count: number, drifts: boolean): TrafficRows;
}

const DRIFT = { shift: 0, noise: 0.08 };

export function createSyntheticTraffic(seed: readonly number[]): SyntheticTraffic {
  const random: SeededRandom = seededRandom(seed);
  return {
    next: (count, drifts) => {
      const drawn = drawRows(random, count);
      return {
        rows: drifts ? driftRows(drawn, DRIFT, random) : drawn,
        draws: Array.from({ length: count }, () => [random.uniform(), random.uniform()]),
        own: Array.from({ length: count }, (_, row) => row),
      };
    },
  };
}
