import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exitsChart } from '../../../bench/exits/chart.ts';
import { RESULTS_FILE } from '../../../bench/exits/results-file.ts';
import { EXITS_PAGES, withExits } from '../../../bench/exits/pages.ts';
import type { ExitsResults, RuleResults, Spread } from '../../../bench/exits/results.ts';
import { RULE_NAMES } from '../../../bench/exits/rules/rule-names.ts';
import { CHART_FILE, exitsText } from '../../../bench/exits/table.ts';

function aSpread(mean: number): Spread {
  return { mean, sd: 0.01, largest: mean + 0.01 };
}

function aRule(name: string, saved: number, isCertified = false): RuleResults {
  return {
    name,
    equal: isCertified ? null : aSpread(saved),
    deployed: {
      saved: aSpread(saved),
      disagreement: aSpread(0.009),
      ...{ overBudget: 3, off: isCertified ? 2 : 0, accuracyChange: 0.001 },
      ...{ meanTimeSaved: 0.2, p99TimeSaved: -0.02 },
    },
  };
}

const SOME: ExitsResults = {
  ...{ date: '2026-11-26', cpu: 'a processor', cores: 2, node: '20', onnxruntime: '1', splits: 20 },
  cases: [
    {
      ...{ name: 'a backbone', macs: 2e7, trainingRows: 10_000, settingRows: 600 },
      ...{ judgingRows: 400, backboneAccuracy: 0.9 },
      levels: [
        {
          budget: 0.01,
          heads: [{ exit: 'block0', pool: 4, hidden: 64 }],
          rules: [
            aRule(RULE_NAMES.certified, 0.2, true),
            aRule(RULE_NAMES.ours, 0.3),
            aRule(RULE_NAMES.selfXit, 0.25),
          ],
          replay: {
            ...{ budget: 0.01, attempts: 1_000, rowsOfAttempt: 10_000, certified: 900 },
            ...{ overBudget: 25, disagreement: 0.007, saved: 0.28 },
          },
        },
      ],
    },
  ],
};

describe('tables of exit rules', () => {
  test('mark the rule that saves most at equal disagreement and leave the certified one out of it', () => {
    const text = exitsText(SOME);
    expect(text).toContain(`| **${RULE_NAMES.ours}** | **30 %** ± 1.0 | **30 %** |`);
    expect(text).toContain(`| ${RULE_NAMES.selfXit} | 25 % ± 1.0 | 25 % |`);
    expect(text).not.toContain(`| ${RULE_NAMES.certified} | **20 %**`);
  });

  test('say where a rule was off, how often it broke the budget, and what attempts came to', () => {
    const text = exitsText(SOME);
    expect(text).toContain(
      '| 0.9 %, 1.9 % | 3 | 20 % ± 1.0 (off in 2) | +0.10 points | 20 % / -2 % |',
    );
    expect(text).toContain('| 1,000 for 1 % | 10,000 | 90 % | 2.5 % | 0.7 % | 28 % |');
  });

  test('are drawn with a bar for every rule', () => {
    expect(exitsChart(SOME).match(/<rect/g)).toHaveLength(3);
  });
});

// `npm run bench exits -- --write` measures again and writes all; `-u` here writes pages and figure from the results.
describe.skipIf(!existsSync(RESULTS_FILE))('the last comparison of exit rules', () => {
  const results = (): ExitsResults =>
    JSON.parse(readFileSync(RESULTS_FILE, 'utf8')) as ExitsResults;

  test.each(EXITS_PAGES)('is what $file says', async ({ file, text }) => {
    const current = withExits(readFileSync(file, 'utf8'), text(results()));
    await expect(current).toMatchFileSnapshot(`../../../../${file}`);
  });

  test('is what its figure shows', async () => {
    await expect(exitsChart(results())).toMatchFileSnapshot(`../../../../${CHART_FILE}`);
  });
});

test.each(EXITS_PAGES)('$file has the place that a run writes to', ({ file }) => {
  expect(withExits(readFileSync(file, 'utf8'), 'a table')).toContain('a table');
});
