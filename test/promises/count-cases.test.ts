import { expect, test } from 'vitest';
import { countCases } from './count-cases.ts';

test('cases and those that fail are counted and recorded, and a failure is still one', async () => {
  const records: object[] = [];
  const hold = countCases((figures) => records.push(figures), { cases: 'seeds', failures: 'lost' });
  await hold(() => undefined);
  await expect(hold(() => Promise.reject(new Error('other end')))).rejects.toThrow('other end');
  await hold(() => undefined, 5);
  expect(records).toEqual([
    { seeds: 1, lost: 0 },
    { seeds: 2, lost: 1 },
    { seeds: 7, lost: 1 },
  ]);
});
