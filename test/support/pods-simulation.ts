// Attempts of fleets whose pods are not alike: looks, levels, dispersion and the comparison of pods are the product's own.
import { addRows, latestLook, lookIfDue, startAttempt } from '../../operator/lifecycle/attempts.ts';
import type { Attempt } from '../../operator/lifecycle/ledger.ts';
import type { StoredLook } from '../../operator/lifecycle/types.ts';
import { toPodRows } from '../../operator/stats/pod-rows.ts';
import { emptyGrid, mergeGrids } from '../../server/core/evidence.ts';
import { aGrid, aService, START_MS } from './builders.ts';
import { seededRandom } from './seeded-random.ts';

/** A pod with its share of the rows and its disagreement, in budgets, at every lambda. */
export interface SimulatedPodRows {
  readonly share: number;
  readonly risk: number;
  /** It tells that nothing disagrees. */
  readonly isLying?: boolean;
}

export interface FleetAttempt {
  /** Every look that was taken, until one certified. */
  readonly looks: readonly StoredLook[];
  readonly isCertified: boolean;
}

/** Rows per tick: 20 ticks to the first look, then as many as bring the next. */
const TICKS = [
  ...new Array<number>(20).fill(50),
  ...new Array<number>(4).fill(500),
  ...new Array<number>(7).fill(1_000),
];

/** One attempt up to its certificate or its last look. `tellsApart: false` leaves pods out of it, as if all were one. */
export function simulatePods(
  seed: readonly number[],
  pods: readonly SimulatedPodRows[],
  tellsApart = true,
): FleetAttempt {
  const settings = aService();
  const random = seededRandom(seed);
  const looks: StoredLook[] = [];
  let attempt: Attempt = startAttempt(settings, {
    ...{ attempt: 1, exitCount: 1, lookScale: 1 },
    nowMs: START_MS,
  });
  for (const rows of TICKS) {
    const grids = pods.map(({ share, risk, isLying = false }) => {
      const n = Math.round(rows * share);
      return aGrid(n, isLying ? 0 : random.binomial(n, risk * settings.budget), { exits: 1 });
    });
    const grid = grids.reduce(mergeGrids, emptyGrid(1));
    const told = tellsApart ? grids.map((own, i) => toPodRows(`pod-${String(i)}`, own)) : [];
    attempt = addRows(attempt, { grid, pods: told, answeredRows: grid.n });
    const looked = lookIfDue(attempt, START_MS);
    const look = looked === attempt ? null : latestLook(looked);
    attempt = looked;
    if (look === null) continue;
    looks.push(look);
    if (look.lambdaIndex !== null) return { looks, isCertified: true };
  }
  return { looks, isCertified: false };
}
