import { createRandom } from '../../../server/core/random.ts';
import { quantileSaved, meanSaved, type PathTimes } from './path-times.ts';
import type { RuleResults } from './results.ts';
import { nothing, outcomeOf, type Outcome } from './rules/outcome.ts';
import { settle, type ExitRule } from './rules/rule.ts';

/** Rows that a rule is set on, and rows that it is judged on. */
interface RowSplit {
  readonly setting: Uint32Array;
  readonly judging: Uint32Array;
}

const SETTING_SHARE = 0.6;

/** Random halves of the same rows, equal for every rule. */
export function randomSplits(rowCount: number, count: number, seed: number): readonly RowSplit[] {
  return Array.from({ length: count }, (_, split) => {
    const order = Uint32Array.from({ length: rowCount }, (__, row) => row);
    createRandom([seed, split]).shuffle(order);
    const cut = Math.round(SETTING_SHARE * rowCount);
    return { setting: order.slice(0, cut), judging: order.slice(cut) };
  });
}

/** One rule at one level. @param times of the exits that it asks; null: not measured. */
export function compareRule(
  rule: ExitRule,
  splits: readonly RowSplit[],
  { budget, times }: { readonly budget: number; readonly times: PathTimes | null },
): RuleResults {
  const judge = (set: Uint32Array, judging: Uint32Array): Outcome => {
    const leaves = settle(rule, set, budget);
    return leaves === null
      ? nothing(rule.answers, judging)
      : outcomeOf(rule.answers, judging, leaves);
  };
  const deployed = splits.map(({ setting, judging }) => judge(setting, judging));
  const hindsight = rule.isCertified ? [] : splits.map(({ judging }) => judge(judging, judging));
  const changes = deployed.map(({ accuracyChange }) => accuracyChange);
  return {
    name: rule.name,
    equal: hindsight.length === 0 ? null : spread(hindsight.map(({ savedRatio }) => savedRatio)),
    deployed: {
      saved: spread(deployed.map(({ savedRatio }) => savedRatio)),
      disagreement: spread(deployed.map(({ disagreementRatio }) => disagreementRatio)),
      overBudget: deployed.filter(({ disagreementRatio }) => disagreementRatio > budget).length,
      off: deployed.filter(({ shares }) => shares.at(-1) === 1).length,
      accuracyChange: changes.includes(null)
        ? null
        : spread(changes.map((change) => change ?? 0)).mean,
      meanTimeSaved: times && spread(deployed.map(({ shares }) => meanSaved(times, shares))).mean,
      p99TimeSaved:
        times && spread(deployed.map(({ shares }) => quantileSaved(times, shares, 0.99))).mean,
    },
  };
}

function spread(values: readonly number[]): RuleResults['deployed']['saved'] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const sd = Math.sqrt(squares / Math.max(1, values.length - 1));
  return { mean, sd, largest: Math.max(...values) };
}
