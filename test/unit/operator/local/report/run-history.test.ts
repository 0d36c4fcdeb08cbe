import { describe, expect, test } from 'vitest';
import { createRunHistory } from '../../../../../operator/local/report/run-history.ts';

const countsAt = (atSeconds: number) => ({
  atSeconds,
  rows: [3 * atSeconds, atSeconds],
  audits: 2 * atSeconds,
  disagreements: Math.floor(atSeconds / 50),
});

describe('the history of a run', () => {
  test('has the rows of each point since the one before, and counts so far', () => {
    const history = createRunHistory();
    for (const second of [1, 2, 5]) history.add(countsAt(second));
    expect(history.points()).toEqual([
      { atSeconds: 1, rows: [3, 1], audits: 2, disagreements: 0 },
      { atSeconds: 2, rows: [3, 1], audits: 4, disagreements: 0 },
      { atSeconds: 5, rows: [9, 3], audits: 10, disagreements: 0 },
    ]);
  });

  test('of a long run has at most 240 points, loses no row, and ends with the newest', () => {
    const history = createRunHistory();
    for (let second = 1; second <= 5_000; second++) {
      history.add(countsAt(second));
      if (second % 97 === 0) expect(history.points().length).toBeLessThanOrEqual(240);
    }
    const points = history.points();
    expect(points.length).toBeGreaterThan(100);
    expect(points.at(-1)).toMatchObject({ atSeconds: 5_000, audits: 10_000, disagreements: 100 });
    expect(points.reduce((sum, { rows }) => sum + rows[0]!, 0)).toBe(15_000);
  });

  test('takes no counts of a clock that stood still', () => {
    const history = createRunHistory();
    history.add(countsAt(3));
    history.add(countsAt(3));
    expect(history.points()).toHaveLength(1);
  });
});
