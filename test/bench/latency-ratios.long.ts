// What others cost a request at p99, judged: `npm run build` (or operator/bundle/bundle.mjs) comes first. Both sides of a ratio are
// measured in turns; on a machine that does other work at the same time they mean little all the same.
import { expect, test } from 'vitest';
import { openRecord } from '../promises/open-record.ts';
import { formatFigures, type Figure } from './figure.ts';
import { measureSlowClients } from './slow-clients.ts';
import { measureSwap } from './swap.ts';

type Record = ReturnType<typeof openRecord>;

const recordSlow = openRecord('slow-clients-latency');
const recordSwaps = openRecord('swaps-latency');

/** The worst of all sections stands. */
function judge(figures: readonly Figure[], record: Record, ratio: string): void {
  process.stdout.write(`${formatFigures(figures)}\n`);
  const all = (name: string): number[] =>
    figures.filter((figure) => figure.name === name).map(({ value }) => value);
  record({
    requests: all('requests').reduce((sum, count) => sum + count, 0),
    failed: Math.max(...all('failed requests')),
    p99RatioAtMost: Math.max(...all(ratio)),
  });
  expect(figures.filter(({ holds }) => holds === false)).toEqual([]);
}

test('500 slow clients cost others a fifth of p99 at most', { timeout: 600_000 }, async () => {
  judge(await measureSlowClients(), recordSlow, 'p99 with slow clients / without');
});

test('swaps of heads cost requests a fifth of p99 at most', { timeout: 600_000 }, async () => {
  judge(await measureSwap(), recordSwaps, 'p99 with swaps / without');
});
