import { createRandom } from '../../../server/core/random.ts';
import { predictedSaving } from '../../../operator/stats/cost.ts';
import type { ReplayResults } from './results.ts';
import type { Answers } from './rules/answers.ts';
import { certify, gridOf, scoresOf, settingsFor } from './rules/certify.ts';

/** Rows that an attempt draws: what its last look takes. */
const LAST_LOOK_MULTIPLE = 10;

/**
 * Attempts to certify, each on rows drawn anew with replacement: all rows are the traffic then, so what a lambda truly disagrees on is
 * known exactly. An attempt is over budget when any lambda that any of its looks certified is.
 */
export function replayAttempts(
  answers: Answers,
  {
    budget,
    attempts,
    seed,
  }: { readonly budget: number; readonly attempts: number; readonly seed: number },
): ReplayResults {
  const scores = scoresOf(answers);
  const settings = settingsFor(budget);
  const all = Uint32Array.from({ length: answers.rowCount }, (_, row) => row);
  const truth = gridOf(answers, scores, all);
  const size = LAST_LOOK_MULTIPLE * settings.minAudits;
  let overBudget = 0;
  const inForce: number[] = [];
  for (let attempt = 0; attempt < attempts; attempt++) {
    const random = createRandom([seed, attempt]);
    const rows = Uint32Array.from({ length: size }, () =>
      Math.floor(random.uniform() * answers.rowCount),
    );
    const certified = certify(answers, { scores, rows, settings }).filter((one) => one !== null);
    const largest = Math.max(-1, ...certified);
    // Every smaller lambda was accepted with it.
    if (truth.dis.slice(0, largest + 1).some((k) => k > budget * truth.n)) overBudget += 1;
    const last = certified.at(-1);
    if (last !== undefined) inForce.push(last);
  }
  const mean = (of: (lambdaIndex: number) => number): number =>
    inForce.reduce((sum, one) => sum + of(one), 0) / Math.max(1, inForce.length);
  const path = { pathCost: answers.path, activeExits: answers.exits.length };
  return {
    ...{ budget, attempts, rowsOfAttempt: size, overBudget, certified: inForce.length },
    disagreement: mean((lambdaIndex) => truth.dis[lambdaIndex]! / truth.n),
    saved: mean((lambdaIndex) => predictedSaving(truth, lambdaIndex, path)),
  };
}
