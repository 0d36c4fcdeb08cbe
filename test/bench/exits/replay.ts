import { createRandom } from '../../../server/core/random.ts';
import { createEvidenceGrid } from '../../../server/core/evidence.ts';
import { predictedSaving } from '../../../operator/stats/cost.ts';
import type { EvidenceGrid } from '../../../crds/wire/evidence.ts';
import type { ReplayResults } from './results.ts';
import type { Answers } from './rules/answers.ts';
import { certify, scoresOf, settingsFor, type Certified } from './rules/certify.ts';

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
  const truth = gridOfAll(answers, scores);
  const size = LAST_LOOK_MULTIPLE * settings.minAudits;
  let overBudget = 0;
  const inForce: Certified[] = [];
  for (let attempt = 0; attempt < attempts; attempt++) {
    const random = createRandom([seed, attempt]);
    const rows = Uint32Array.from({ length: size }, () =>
      Math.floor(random.uniform() * answers.rowCount),
    );
    const looks = certify(answers, { scores, rows, settings }).filter((look) => look !== null);
    const largest = Math.max(-1, ...looks.map(({ lambdaIndex }) => lambdaIndex));
    // Every smaller lambda was accepted with it.
    if (truth.dis.slice(0, largest + 1).some((k) => k > budget * truth.n)) overBudget += 1;
    const last = looks.at(-1);
    if (last !== undefined) inForce.push(last);
  }
  const mean = (of: (one: Certified) => number): number =>
    inForce.length === 0 ? 0 : inForce.reduce((sum, one) => sum + of(one), 0) / inForce.length;
  const path = { pathCost: answers.path, activeExits: answers.exits.length };
  return {
    ...{ budget, attempts, rowsOfAttempt: size, overBudget, certified: inForce.length },
    disagreement: mean(({ lambdaIndex }) => truth.dis[lambdaIndex]! / truth.n),
    saved: mean(({ lambdaIndex }) => predictedSaving(truth, lambdaIndex, path)),
  };
}

function gridOfAll({ exits, rowCount }: Answers, scores: readonly Float64Array[]): EvidenceGrid {
  const counter = createEvidenceGrid(exits.length);
  for (let row = 0; row < rowCount; row++) {
    counter.addRow(
      scores.map((column) => column[row]!),
      exits.map(({ agrees }) => agrees[row]!),
    );
  }
  return counter.snapshot();
}

/** Largest share that chance allows where the true one is at most `delta`: three standard errors above. */
export function allowedShare(delta: number, attempts: number): number {
  return delta + 3 * Math.sqrt((delta * (1 - delta)) / attempts);
}
