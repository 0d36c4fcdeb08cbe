import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { comparisonChart } from '../../../bench/peers/chart.ts';
import { README_FILE, RESULTS_FILE } from '../../../bench/peers/measure-peers.ts';
import { withComparison } from '../../../bench/peers/readme-block.ts';
import type { PeerResults } from '../../../bench/peers/results.ts';
import { CHART_FILE, comparisonText } from '../../../bench/peers/table.ts';

// `npm run bench peers -- --write` measures again and writes all three; `-u` here writes the other two from the results.
describe.skipIf(!existsSync(RESULTS_FILE))('the last comparison', () => {
  const results = (): PeerResults => JSON.parse(readFileSync(RESULTS_FILE, 'utf8')) as PeerResults;

  test('is what the README says', async () => {
    const readme = readFileSync(README_FILE, 'utf8');
    const current = withComparison(readme, comparisonText(results()));
    await expect(current).toMatchFileSnapshot(`../../../../${README_FILE}`);
  });

  test('is what its figure shows', async () => {
    await expect(comparisonChart(results())).toMatchFileSnapshot(`../../../../${CHART_FILE}`);
  });
});

test('the README has the place that a run writes to', () => {
  const readme = readFileSync(README_FILE, 'utf8');
  expect(withComparison(readme, 'a table')).toContain('a table');
});
