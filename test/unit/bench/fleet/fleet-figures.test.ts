import { describe, expect, test } from 'vitest';
import { toFigures, toGrowth, type FleetRun } from '../../../bench/fleet/fleet-run.ts';
import { growthExponent } from '../../../bench/fleet/growth.ts';
import type { StageResult } from '../../../bench/fleet/stage-result.ts';

describe('growth', () => {
  test.each([1, 1.5, 2])('a power of %d is found, whatever it is multiplied by', (power) => {
    const points = [10, 100, 1_000].map((size) => ({ size, cost: 7 * size ** power }));
    expect(growthExponent(points)).toBeCloseTo(power, 10);
  });

  test('a stage that cost nothing says nothing, and one size has no growth', () => {
    const linear = [2, 4].map((size) => ({ size, cost: size }));
    expect(growthExponent([...linear, { size: 8, cost: 0 }])).toBeCloseTo(1, 10);
    expect(growthExponent([{ size: 10, cost: 3 }])).toBeNaN();
  });
});

function aStage(stage: string, more: Partial<StageResult> = {}): StageResult {
  const usage = {
    ...{ wallSeconds: 60, operatorCpuSeconds: 6, operatorRssMib: 200, operatorPeakRssMib: 210 },
    ...{ planeCpuSeconds: 1, planeRssMib: 1, podsCpuSeconds: 1 },
  };
  const operator = { apiCalls: {}, lists: {}, passes: 0 };
  const pods = { pods: 1, connections: 1, handshakes: 1, calls: {} };
  return { stage, usage, operator, pods, figures: {}, ...more };
}

const RUN: FleetRun = {
  services: 10,
  pods: 2,
  stages: [
    aStage('rest', {
      operator: { apiCalls: { PATCH: 30, POST: 6, GET: 900, PUT: 27 }, lists: {}, passes: 0 },
    }),
    aStage('change one', { figures: { changeMsP99: 5_001 } }),
    aStage('operator restart', {
      figures: { caughtUpSeconds: 44 },
      operator: { apiCalls: { POST: 1, PUT: 9, PATCH: 74 }, lists: { start: 13 }, passes: 0 },
    }),
    aStage('API server restart', {
      operator: { apiCalls: {}, lists: { failure: 13, idle: 8 }, passes: 0 },
    }),
  ],
};

test('what is promised of one operator is held against the stage that shows it', () => {
  const verdicts = toFigures(RUN).filter(({ holds }) => holds !== null);
  expect(verdicts.map(({ name, value, holds }) => [name, value, holds])).toEqual([
    ['10 x 2: most memory of the operator', 210, true],
    ['10 x 2: cores of the operator at rest', 0.1, true],
    ['10 x 2: writes at rest', 0.6, true],
    ['10 x 2: a change of one service, acknowledged by its pods, p99', 5_001, false],
    ['10 x 2: next operator after a crash, from its start until it has asked all pods', 44, true],
    ['10 x 2: writes of the next operator', 75, false],
    ['10 x 2: lists after a restart of the API server', 21, false],
  ]);
});

test('growth is told by stage once there are two sizes', () => {
  expect(toGrowth([RUN])).toEqual([]);
  const usage = { ...aStage('rest').usage, operatorCpuSeconds: 60 };
  const larger = { services: 100, pods: 2, stages: [aStage('rest', { usage })] };
  const growth = toGrowth([RUN, larger]);
  expect(growth.map(({ name }) => name)).toEqual([
    "rest: exponent of the operator's processor time over services",
  ]);
  expect(growth[0]?.value).toBeCloseTo(1, 10);
});
