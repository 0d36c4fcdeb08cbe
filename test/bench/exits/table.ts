import type { CaseResults, ExitsResults, LevelResults, RuleResults } from './results.ts';
import { RULE_NAMES } from './rules/rule-names.ts';

export const CHART_FILE = 'test/bench/exits/savings.svg';

/** What the front page says of a comparison: its figure, and savings at equal disagreement. */
export function summaryText({ date, splits, cases }: ExitsResults): string {
  return [
    `![Multiply-adds that each rule saves at equal disagreement](${CHART_FILE})`,
    `${date}. Multiply-adds saved, net of heads, by every rule on the same rows and heads, each set so that it truly disagrees with the backbone on that share (means of ${splits} random splits ± standard deviation).`,
    ...cases.flatMap(({ name, levels }) => [`**${name}**`, equalTable(levels)]),
  ].join('\n\n');
}

/** All of it. */
export function exitsText(results: ExitsResults): string {
  const { date, cpu, cores, node, onnxruntime, splits, cases } = results;
  return [
    `![Multiply-adds that each rule saves at equal disagreement](savings.svg)`,
    `${date}, ${cpu}, ${cores} cores, Node ${node}, onnxruntime ${onnxruntime}. ${splits} random splits of the same rows for every rule, 60 % to set it and 40 % to judge it; means over the splits, ± their standard deviation. Heads are trained once per budget by the trainer on rows that are in no split. Savings are multiply-adds, net of heads.`,
    ...cases.map(caseText),
  ].join('\n\n');
}

function caseText(one: CaseResults): string {
  const { name, macs, trainingRows, settingRows, judgingRows, backboneAccuracy, levels } = one;
  const accuracy =
    backboneAccuracy === null ? '' : `, right on ${percent(backboneAccuracy)} of labels`;
  const heads = levels.map(
    ({ budget, heads: of }) =>
      `${percent(budget)}: ${of.map(({ exit, pool, hidden }) => `${exit} (${pool} x ${pool}, ${hidden})`).join(', ')}`,
  );
  return [
    `**${name}**: ${(macs / 1e6).toFixed(1)} M multiply-adds${accuracy}. Heads from ${count(trainingRows)} rows, set on ${count(settingRows)}, judged on ${count(judgingRows)}. Exits (pool, hidden units) at ${heads.join('; ')}.`,
    equalTable(levels),
    ...levels.map(deployedTable),
    replayTable(levels),
  ].join('\n\n');
}

/** Every rule set with hindsight, so that all disagree equally. */
function equalTable(levels: readonly LevelResults[]): string {
  const names =
    levels[0]?.rules.filter(({ equal }) => equal !== null).map(({ name }) => name) ?? [];
  const columns = levels.map(({ rules }) =>
    names.map((name) => rules.find((rule) => rule.name === name)!.equal!),
  );
  const means = names.map((_, i) => meanOf(columns.map((column) => column[i]!.mean)));
  const best = columns.map((column) => Math.max(...column.map(({ mean }) => mean)));
  const head = [
    'saved at equal true disagreement of',
    ...levels.map(({ budget }) => percent(budget)),
    'mean',
  ];
  const rows = names.map((name, i) => [
    strong(name, name === RULE_NAMES.ours),
    ...columns.map((column, level) => {
      const { mean, sd } = column[i]!;
      return `${strong(percent(mean), mean === best[level])} ± ${(100 * sd).toFixed(1)}`;
    }),
    strong(percent(means[i]!), means[i] === Math.max(...means)),
  ]);
  return table(head, rows);
}

/** Every rule set on other rows than it is judged on. */
function deployedTable({ budget, rules }: LevelResults): string {
  const head = [
    `set for ${percent(budget)} on rows of before`,
    'disagreement: mean, largest',
    'splits over the budget',
    'saved',
    'label accuracy',
    'mean / p99 time saved',
  ];
  const rows = rules.map(({ name, deployed }) => [
    strong(name, name === RULE_NAMES.certified),
    `${percent(deployed.disagreement.mean, 2)}, ${percent(deployed.disagreement.largest, 2)}`,
    String(deployed.overBudget),
    savedText(deployed),
    deployed.accuracyChange === null ? '' : points(deployed.accuracyChange),
    timesText(deployed),
  ]);
  return table(head, rows);
}

/** Attempts to certify against what is true of all rows. */
function replayTable(levels: readonly LevelResults[]): string {
  const head = [
    'attempts to certify on rows drawn anew',
    'rows of the last look',
    'certified',
    'certified and over budget',
    'true disagreement',
    'saved',
  ];
  const rows = levels.map(({ replay: one }) => [
    `${count(one.attempts)} for ${percent(one.budget)}`,
    count(one.rowsOfAttempt),
    percent(one.certified / one.attempts),
    percent(one.overBudget / one.attempts),
    percent(one.disagreement, 2),
    percent(one.saved),
  ]);
  return table(head, rows);
}

function timesText({ meanTimeSaved, p99TimeSaved }: RuleResults['deployed']): string {
  if (meanTimeSaved === null || p99TimeSaved === null) return '';
  return `${percent(meanTimeSaved)} / ${percent(p99TimeSaved)}`;
}

function savedText({ saved, off }: RuleResults['deployed']): string {
  return `${percent(saved.mean)} ± ${(100 * saved.sd).toFixed(1)}${off === 0 ? '' : ` (off in ${off})`}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function percent(share: number, digits = 1): string {
  return `${Number((100 * share).toFixed(digits))} %`;
}

function points(share: number): string {
  const value = (100 * share).toFixed(2);
  return `${share >= 0 ? '+' : ''}${value} points`;
}

function strong(text: string, isStrong: boolean): string {
  return isStrong ? `**${text}**` : text;
}

function count(rows: number): string {
  return rows.toLocaleString('en-US');
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
