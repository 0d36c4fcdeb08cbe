// The rules of exits.md 7.1 that others use, on the model of 7.2: chosen on 3,000 test rows, judged on fresh ones.
import { THRESHOLDS } from '../../crds/wire/lambda-grid.ts';
import { binomialTail } from '../../server/core/binomial.ts';
import {
  calibratedScores,
  drawRows,
  EXIT_COUNT,
  gridOf,
  miscalibratedScores,
  pathCost,
  rawScores,
  type ScoreOf,
  type SimulatedRows,
  type Truth,
} from './exit-simulation.ts';
import { seededRandom } from './seeded-random.ts';

const BUDGET = 0.01;
const LEVEL = 0.05;
const TEST_ROWS = 3000;

/** Per exit the score above which it answers. */
type Choice = readonly number[];

interface Rule {
  readonly scoreOf: (calibrated: ScoreOf) => ScoreOf;
  readonly choose: (rows: SimulatedRows, scoreOf: ScoreOf) => Choice;
}

const calibrated = (scoreOf: ScoreOf): ScoreOf => scoreOf;

export const RULES = {
  eachExitAlone: {
    scoreOf: calibrated,
    choose: (rows, scoreOf) => choosePerExit(rows, scoreOf, false),
  },
  survivorsOnly: {
    scoreOf: calibrated,
    choose: (rows, scoreOf) => choosePerExit(rows, scoreOf, true),
  },
  sharedUntested: {
    scoreOf: calibrated,
    choose: (rows, scoreOf) => chooseShared(rows, scoreOf, largestBelow),
  },
  rawTested: {
    scoreOf: () => rawScores,
    choose: (rows, scoreOf) => chooseShared(rows, scoreOf, largestTested),
  },
  rawMiscalibratedTested: {
    scoreOf: () => miscalibratedScores,
    choose: (rows, scoreOf) => chooseShared(rows, scoreOf, largestTested),
  },
  calibratedTested: {
    scoreOf: calibrated,
    choose: (rows, scoreOf) => chooseShared(rows, scoreOf, largestTested),
  },
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;

export interface RuleOutcome {
  readonly overShare: number;
  readonly meanRisk: number;
  readonly meanCost: number;
}

/** Share of runs over budget, mean disagreement ratio and mean cost of a rule. */
export function simulateRule(
  name: RuleName,
  seed: number,
  runs: number,
  truth: Truth,
): RuleOutcome {
  let over = 0;
  let risk = 0;
  let cost = 0;
  for (let run = 0; run < runs; run++) {
    const random = seededRandom([seed, run]);
    const fitRows = drawRows(random, 1000 + Math.floor(1001 * random.uniform()));
    const scoreOf = RULES[name].scoreOf(calibratedScores(fitRows));
    const choice = RULES[name].choose(drawRows(random, TEST_ROWS), scoreOf);
    const outcome = judge(truth(run), scoreOf, choice);
    if (outcome.risk > BUDGET) over++;
    risk += outcome.risk / runs;
    cost += outcome.cost / runs;
  }
  return { overShare: over / runs, meanRisk: risk, meanCost: cost };
}

function firstExit(
  { logits }: SimulatedRows,
  row: number,
  scoreOf: ScoreOf,
  choice: Choice,
): number {
  const exit = choice.findIndex(
    (threshold, index) => scoreOf(logits[row * EXIT_COUNT + index]!, index) > threshold,
  );
  return exit === -1 ? EXIT_COUNT : exit;
}

function judge(
  rows: SimulatedRows,
  scoreOf: ScoreOf,
  choice: Choice,
): { readonly risk: number; readonly cost: number } {
  let wrong = 0;
  let cost = 0;
  for (let row = 0; row < rows.count; row++) {
    const exit = firstExit(rows, row, scoreOf, choice);
    cost += pathCost(exit);
    if (exit < EXIT_COUNT && rows.agrees[row * EXIT_COUNT + exit] === 0) wrong++;
  }
  return { risk: wrong / rows.count, cost: cost / rows.count };
}

/** Lowest threshold per exit, off the grid, at which the error among its own hits is within the budget. */
function choosePerExit(rows: SimulatedRows, scoreOf: ScoreOf, survivorsOnly: boolean): Choice {
  const choice: number[] = [];
  for (let exit = 0; exit < EXIT_COUNT; exit++) {
    const hits: { readonly score: number; readonly wrong: number }[] = [];
    for (let row = 0; row < rows.count; row++) {
      if (survivorsOnly && firstExit(rows, row, scoreOf, choice) < EXIT_COUNT) continue;
      const index = row * EXIT_COUNT + exit;
      hits.push({ score: scoreOf(rows.logits[index]!, exit), wrong: 1 - rows.agrees[index]! });
    }
    hits.sort((a, b) => b.score - a.score);
    let wrong = 0;
    const last = hits
      .map((hit) => (wrong += hit.wrong))
      .findLastIndex((errors, index) => errors <= BUDGET * (index + 1));
    // Strictly above the next score; nothing passes: above the highest.
    choice.push(hits[last + 1]?.score ?? -Infinity);
  }
  return choice;
}

function chooseShared(
  rows: SimulatedRows,
  scoreOf: ScoreOf,
  choose: (dis: readonly number[]) => number,
): Choice {
  const j = choose(gridOf(rows, scoreOf, 0, rows.count).dis);
  return Array<number>(EXIT_COUNT).fill(THRESHOLDS[j] ?? Infinity);
}

function largestBelow(dis: readonly number[]): number {
  return dis.findLastIndex((count) => count <= BUDGET * TEST_ROWS);
}

function largestTested(dis: readonly number[]): number {
  const failure = dis.findIndex((count) => binomialTail(count, TEST_ROWS, BUDGET) > LEVEL);
  return (failure === -1 ? dis.length : failure) - 1;
}
