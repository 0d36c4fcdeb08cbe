import { describe, expect, test } from 'vitest';
import { formatCurves, toGrowth } from '../../../bench/fleet/fleet-curve.ts';
import { toFigures, toScaleRecord, type FleetRun } from '../../../bench/fleet/fleet-run.ts';
import { growthExponent, slopeOf } from '../../../bench/fleet/growth.ts';
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

  test('one more costs what lies between two sizes', () => {
    const points = [1, 2, 5].map((size) => ({ size, cost: 40 + 3 * size }));
    expect(slopeOf(points)).toBeCloseTo(3, 10);
    expect(slopeOf(points.slice(1, 2))).toBeNaN();
  });
});

function aStage(stage: string, more: Partial<StageResult> = {}): StageResult {
  const usage = {
    ...{ wallSeconds: 60, operatorCpuSeconds: 6, operatorRssMib: 200, operatorPeakRssMib: 210 },
    ...{ planeCpuSeconds: 1, planeRssMib: 1, podsCpuSeconds: 1 },
  };
  const operator = { apiCalls: {}, lists: {}, passes: 0, passSeconds: 0 };
  const pods = { pods: 1, connections: 1, handshakes: 1, calls: {} };
  return { stage, usage, operator, pods, figures: {}, ...more };
}

const RUN: FleetRun = {
  services: 10,
  pods: 2,
  stages: [
    aStage('rest', {
      operator: {
        apiCalls: { PATCH: 30, POST: 6, GET: 900, PUT: 27 },
        lists: {},
        passes: 0,
        passSeconds: 0,
      },
    }),
    aStage('change one', { figures: { changeMsP99: 5_001 } }),
    aStage('operator restart', {
      figures: { caughtUpSeconds: 44 },
      operator: {
        apiCalls: { POST: 1, PUT: 9, PATCH: 74 },
        lists: { start: 13 },
        passes: 0,
        passSeconds: 0,
      },
    }),
    aStage('API server restart', {
      operator: { apiCalls: {}, lists: { failure: 13, idle: 8 }, passes: 0, passSeconds: 0 },
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

test('the table of promises gets the most memory and the slowest changes, and no number for what was not run', () => {
  const record = { services: 10, memoryMiB: 210, p99Seconds: 5.001 };
  expect(toScaleRecord(RUN)).toEqual(record);
  const cut = { ...RUN, stages: RUN.stages.slice(0, 1) };
  expect(toScaleRecord(cut)).toEqual({ ...record, p99Seconds: Number.NaN });
});

test('a large service has ten seconds for a change, and one for its passes in a round of its pods', () => {
  const operator = { apiCalls: {}, lists: {}, passes: 9, passSeconds: 1.8 };
  const large = {
    ...{ services: 1, pods: 1_000 },
    stages: [
      aStage('change one', { figures: { changeMsP99: 9_000 } }),
      aStage('busy', { operator }),
    ],
  };
  const verdicts = toFigures(large).filter(({ holds }) => holds !== null);
  expect(verdicts.map(({ name, value, holds }) => [name, value, holds])).toEqual([
    ['1 x 1000: most memory of the operator', 210, true],
    ['1 x 1000: a change of one service, acknowledged by its pods, p99', 9_000, true],
    ['1 x 1000: passes of one service within a round of its pods', 0.9, true],
  ]);
});

function aRest(services: number, pods: number, operatorCpuSeconds: number, mib: number): FleetRun {
  const usage = { ...aStage('rest').usage, operatorCpuSeconds, operatorRssMib: mib };
  return { services, pods, stages: [aStage('start'), aStage('rest', { usage })] };
}

const RUNS = [aRest(10, 10, 6, 101), aRest(100, 10, 60, 110), aRest(10, 100, 30, 146)];

test('growth is told over services of as many pods, and memory over services and over pods', () => {
  expect(toGrowth(RUNS.slice(0, 1))).toEqual([]);
  const growth = toGrowth(RUNS);
  expect(growth.map(({ name, unit, value }) => [name, unit, Number(value.toFixed(3))])).toEqual([
    ['start, processor seconds: exponent over services of 10 pods', '', 0],
    ['rest, processor seconds: exponent over services of 10 pods', '', 1],
    ['memory at rest, MiB: exponent over services of 10 pods', '', 0.037],
    ['memory of the operator for one more service of 10 pods', 'KiB', 102.4],
    ['memory of the operator for one more pod, of 10 services', 'KiB', 51.2],
  ]);
});

test('the curve is a table with a column for each size; a stage that one lacks is empty there', () => {
  const short = { ...RUNS[0]!, stages: RUNS[0]!.stages.slice(1) };
  expect(formatCurves([short, ...RUNS.slice(1)])).toBe(
    [
      'the operator              10 x 10  100 x 10  exponent',
      'rest, processor seconds         6        60      1.00',
      'start, processor seconds                  6',
      'memory at rest, MiB           101       110      0.04',
      '',
      'the operator              10 x 100  exponent',
      'start, processor seconds         6',
      'rest, processor seconds         30',
      'memory at rest, MiB            146',
    ].join('\n'),
  );
});
