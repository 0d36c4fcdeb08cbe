import type { ExitAnswer } from './head-answers.ts';

/** Multiply-adds of each way through: to exit e with all heads on it, and last to the backbone's end. Shares of the backbone. */
export type PathMacs = readonly number[];

export interface RuleOutcome {
  readonly savedRatio: number;
  readonly disagreementRatio: number;
}

/** Rows leave at the first exit whose value is above the threshold. */
export function applyRule(
  answers: readonly (readonly ExitAnswer[])[],
  value: (answer: ExitAnswer) => number,
  threshold: number,
  path: PathMacs,
): RuleOutcome {
  let spent = 0;
  let disagreements = 0;
  for (const row of answers) {
    const exit = row.findIndex((answer) => value(answer) > threshold);
    spent += path.at(exit < 0 ? path.length - 1 : exit) ?? 1;
    if (exit >= 0 && row[exit]?.agrees === false) disagreements += 1;
  }
  return {
    savedRatio: 1 - spent / answers.length,
    disagreementRatio: disagreements / answers.length,
  };
}

const STEPS = 400;

/**
 * The most that one raw threshold saves at a given disagreement, chosen with hindsight on the very rows it is judged on: kinder to
 * the rule than any deployment could be.
 */
export function bestRule(
  answers: readonly (readonly ExitAnswer[])[],
  value: (answer: ExitAnswer) => number,
  maxDisagreementRatio: number,
  path: PathMacs,
): RuleOutcome {
  const values = answers.flatMap((row) => row.map(value)).sort((a, b) => a - b);
  let best: RuleOutcome = { savedRatio: 0, disagreementRatio: 0 };
  for (let step = 0; step < STEPS; step++) {
    const threshold = values[Math.floor((step / STEPS) * values.length)] ?? Infinity;
    const outcome = applyRule(answers, value, threshold, path);
    if (outcome.disagreementRatio <= maxDisagreementRatio && outcome.savedRatio > best.savedRatio)
      best = outcome;
  }
  return best;
}
