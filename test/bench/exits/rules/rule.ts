import { THRESHOLDS } from '../../../../crds/wire/lambda-grid.ts';
import { settingsFor, certify, scoresOf } from './certify.ts';
import { belowThresholds, errorsOf, tuneApparate } from './apparate.ts';
import type { Answers } from './answers.ts';
import { outcomeOf, type Leaving } from './outcome.ts';
import { afterPatience } from './patience.ts';
import { aboveThreshold, bestThreshold, sweepOf, type Values } from './threshold.ts';

/** A way to decide where rows leave, with the heads that it asks. */
export interface ExitRule {
  readonly name: string;
  readonly answers: Answers;
  /** Sets itself on rows for a budget; null: it finds nothing within it, or proves nothing. */
  readonly tune: (rows: Uint32Array, budget: number) => Leaving | null;
  /** It promises more than the budget on the rows it was set on: there is no setting of it with hindsight. */
  readonly isCertified: boolean;
}

/**
 * A rule set on rows for a budget; null: exits are off. They are too where what it finds saves nothing on these rows: heads cost
 * more there than rows that leave give back.
 */
export function settle(
  { answers, tune }: ExitRule,
  rows: Uint32Array,
  budget: number,
): Leaving | null {
  const leaves = tune(rows, budget);
  const saves = leaves !== null && outcomeOf(answers, rows, leaves).savedRatio > 0;
  return saves ? leaves : null;
}

/** One threshold for all exits on these values: the one that saves most within the budget on the rows it is set on. */
export function thresholdRule(name: string, answers: Answers, values: Values): ExitRule {
  const sweep = sweepOf(answers, values);
  const tune = (rows: Uint32Array, budget: number): Leaving | null => {
    const isMarked = new Uint8Array(answers.rowCount);
    for (const row of rows) isMarked[row] = 1;
    const threshold = bestThreshold(sweep, isMarked, budget);
    return threshold === Infinity ? null : aboveThreshold(values, threshold);
  };
  return { name, answers, tune, isCertified: false };
}

export function apparateRule(name: string, answers: Answers): ExitRule {
  const errors = errorsOf(answers);
  const tune = (rows: Uint32Array, budget: number): Leaving =>
    belowThresholds(errors, tuneApparate(answers, errors, { rows, budget }));
  return { name, answers, tune, isCertified: false };
}

export function patienceRule(name: string, answers: Answers): ExitRule {
  const tune = (rows: Uint32Array, budget: number): Leaving | null => {
    let best: { readonly leaves: Leaving; readonly saved: number } | null = null;
    for (let patience = 1; patience < answers.exits.length; patience++) {
      const leaves = afterPatience(answers, patience);
      const { disagreementRatio, savedRatio: saved } = outcomeOf(answers, rows, leaves);
      if (disagreementRatio <= budget && saved > (best?.saved ?? 0)) best = { leaves, saved };
    }
    return best?.leaves ?? null;
  };
  return { name, answers, tune, isCertified: false };
}

/** The lambda in force after the last look that the rows suffice for. */
export function certifiedRule(name: string, answers: Answers): ExitRule {
  const scores = scoresOf(answers);
  const tune = (rows: Uint32Array, budget: number): Leaving | null => {
    const newest = certify(answers, { scores, rows, settings: settingsFor(budget) }).at(-1) ?? null;
    return newest === null ? null : aboveThreshold(scores, THRESHOLDS[newest]!);
  };
  return { name, answers, tune, isCertified: true };
}
