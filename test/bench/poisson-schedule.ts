import { createRandom } from '../../server/core/random.ts';

/** Send times of a Poisson process in milliseconds after its start, ascending. Equal seeds give equal schedules. */
export function poissonSchedule(plan: {
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly requests: number;
}): Float64Array {
  const random = createRandom(plan.seed);
  const meanMs = 1_000 / plan.ratePerSecond;
  const times = new Float64Array(plan.requests);
  let atMs = 0;
  for (let i = 0; i < times.length; i++) {
    atMs -= meanMs * Math.log1p(-random.uniform());
    times[i] = atMs;
  }
  return times;
}
