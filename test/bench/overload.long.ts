// The flood of the bench, judged: `npm run build` (or operator/bundle/bundle.mjs) comes first. On a machine that does other work at
// the same time its figures mean nothing.
import { expect, test } from 'vitest';
import { openRecord } from '../promises/open-record.ts';
import { formatFigures } from './figure.ts';
import { measureOverload } from './overload.ts';

const recordOverload = openRecord('overload-goodput');

test(
  'under ten times its capacity a server keeps 80 % of it, refuses at once, and is over it in 5 s',
  { timeout: 600_000 },
  async () => {
    const figures = await measureOverload();
    process.stdout.write(`${formatFigures(figures)}\n`);
    /** Of both floods, with a deadline and without. */
    const all = (name: string): number[] =>
      figures.filter((figure) => figure.name === name).map(({ value }) => value);
    recordOverload({
      floods: all('goodput / capacity').length,
      goodputAtLeast: Math.min(...all('goodput / capacity')),
      recoveredSecondsAtMost: Math.max(...all('recovered after')),
      refusalP99MsAtMost: Math.max(...all('refusals p99')),
      unanswered: Math.max(...all('requests without an answer')),
      failedCalls: Math.max(...all('failed calls to the admin and metrics ports')),
    });
    expect(figures.filter(({ holds }) => holds === false)).toEqual([]);
  },
);
