import { describe, expect, test } from 'vitest';
import { comparisonChart } from '../../../bench/peers/chart.ts';
import { numberText } from '../../../bench/peers/number-text.ts';
import { withComparison } from '../../../bench/peers/readme-block.ts';
import { comparisonText, sorted } from '../../../bench/peers/table.ts';
import { aCase, aFailedLane, aLane, closed, ours, someResults } from './builders.ts';

const LANES = [
  aFailedLane('Absent', 'it needs Java:\nnone | nowhere'),
  aLane({ server: 'Slow', closed: closed([10, 20, 30]), memoryMib: 90 }),
  aLane({ server: 'Quick <2>', closed: closed([1_500, 2_000, 2_500]) }),
  ours(),
];

test('ours comes first, then the others by throughput, then those that were not measured', () => {
  expect(sorted(LANES).map(({ server }) => server)).toEqual([
    'Layercache',
    'Quick <2>',
    'Slow',
    'Absent',
  ]);
});

describe('the table', () => {
  const text = comparisonText(someResults([aCase(LANES)]));
  const rows = text.split('\n').filter((line) => line.startsWith('|'));

  test('has as many cells in each row as in its head', () => {
    const counts = rows.map((row) => row.split(/(?<!\\)\|/).length);
    expect(rows).toHaveLength(6);
    expect(new Set(counts).size).toBe(1);
  });

  test('prints a figure of another server in bold where it is ahead of ours, and nowhere else', () => {
    expect(rows[3]).toContain('| **1,500** / 2,000 / 2,500 |');
    expect(rows[4]).toContain('| 10 / 20 / 30 |');
    expect(rows[4]).toContain('| **90** |');
  });

  test('says beneath where others are ahead', () => {
    expect(text).toContain(
      'Ahead of Layercache: Slow in memory; Quick <2> in throughput at 1, p50 at 1, p99 at 1.',
    );
  });

  test('says so where none is', () => {
    const lanes = [ours(), aLane()];
    expect(comparisonText(someResults([aCase(lanes)]))).toContain('No other server is ahead');
  });

  test('gives the throughput of ours over that of each', () => {
    expect(rows[3]).toMatch(/\| 0\.67 \/ 2 \/ 2 \|$/);
  });

  test('says why a server was not measured', () => {
    expect(rows[5]).toContain('| not measured: it needs Java: none \\| nowhere |');
  });

  test('counts requests of the open loop that failed', () => {
    const open = { p50Ms: 5, p99Ms: 9, failed: 4, requests: 300, lagP99Ms: 0.5 };
    const lanes = [ours(), aLane({ open })];
    expect(comparisonText(someResults([aCase(lanes)]))).toContain('| 5 / 9, 4 failed |');
  });
});

test('numbers have three digits at most, and thousands apart', () => {
  const texts = [0.1234, 1.999, 12.34, 123.4, 4_567.8, Number.NaN].map(numberText);
  expect(texts).toEqual(['0.12', '2', '12.3', '123', '4,570', '?']);
});

describe('the figure', () => {
  const chart = comparisonChart(someResults([aCase(LANES), aCase([ours()])]));

  test('has one bar for each measured server of each model, ours in a colour of its own', () => {
    expect(chart.match(/<rect/g)).toHaveLength(4);
    expect(chart.match(/class="ours"/g)).toHaveLength(2);
  });

  test('scales bars to the largest of their model', () => {
    const widths = [...chart.matchAll(/width="(\d+)"/g)].map(([, width]) => Number(width));
    expect(widths).toEqual([380, 190, 2, 380]);
  });

  test('escapes names', () => {
    expect(chart).toContain('Quick &lt;2&gt;');
    expect(chart).not.toContain('<2>');
  });
});

describe('the block in a document', () => {
  const START = '<!-- comparison with other servers: written by npm run bench peers -- --write -->';
  const END = '<!-- end of the comparison -->';

  test('is replaced, and nothing around it', () => {
    const before = `# A\n${START}\nold\n${END}\nafter\n`;
    const after = withComparison(before, 'new');
    expect(after).toBe(`# A\n${START}\nnew\n${END}\nafter\n`);
    expect(withComparison(after, 'new')).toBe(after);
  });

  test('must be there', () => {
    expect(() => withComparison('# A\n', 'new')).toThrow('has no lines');
  });
});
