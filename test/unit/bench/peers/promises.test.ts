import { expect, test } from 'vitest';
import {
  casePromises,
  generatorFigures,
  serverCostPromises,
} from '../../../bench/peers/promises.ts';
import { aCase, aFailedLane, aLane, closed, ours } from './builders.ts';

const KSERVE = aLane({ server: 'KServe, Python server', closed: closed([100, 500, 600]) });

test('ahead of every other server in throughput and p50 at each load, against the best of them', () => {
  const results = aCase([ours(), KSERVE, aLane({ closed: closed([2_000, 10, 10]) })]);
  expect(casePromises(results).map(({ value, holds }) => [value, holds])).toEqual([
    [0.5, false],
    [0.5, false],
    [8, true],
    [8, true],
    [5_000 / 600, true],
    [5_000 / 600, true],
  ]);
});

test('the cost of the server alone is bounded, and compared with the best other and with KServe', () => {
  const figures = serverCostPromises(
    aCase([ours(), KSERVE, aLane({ closed: closed([1, 1_000, 1]) })]),
  );
  expect(figures.map(({ value, promise, holds }) => ({ value, promise, holds }))).toEqual([
    { value: 0.25, promise: '<= 0.4', holds: true },
    { value: 4, promise: '>= 2', holds: true },
    { value: 8, promise: '>= 4', holds: true },
  ]);
});

test('nothing is promised against servers that were not measured, and they are counted', () => {
  const results = aCase([ours(), aFailedLane('Absent', 'it needs Java')]);
  expect(casePromises(results)).toEqual([]);
  expect(serverCostPromises(results)).toHaveLength(1);
  expect(generatorFigures(results)[0]?.value).toBe(1);
});
