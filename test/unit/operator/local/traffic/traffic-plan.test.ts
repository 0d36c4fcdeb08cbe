import { describe, expect, test } from 'vitest';
import { memorySource, type TrafficSource } from '../../../../../operator/local/traffic/source.ts';
import {
  planTraffic,
  type PlannedRow,
  type TrafficPlanOptions,
} from '../../../../../operator/local/traffic/traffic-plan.ts';

/** Rows of four bytes that count up from `first`; `distinct` of them, then the same again. */
function rows(count: number, { first = 0, distinct = count, name = 'rows' } = {}): TrafficSource {
  const bytes = Buffer.alloc(4 * count);
  for (let i = 0; i < count; i++) bytes.writeUInt32LE(first + (i % distinct), 4 * i);
  return memorySource({ name, rowShape: [4], element: 'u1', labels: null }, bytes);
}

function aPlan(options: Partial<TrafficPlanOptions>) {
  return planTraffic({
    traffic: rows(20_000),
    headTraffic: null,
    trains: true,
    classCount: 10,
    seed: 1,
    requests: null,
    loop: false,
    drift: null,
    keepsOrder: false,
    ...options,
  });
}

function drain(next: () => PlannedRow | null, most = Infinity): number[] {
  const values: number[] = [];
  for (let row = next(); row !== null && values.length < most; row = next()) {
    values.push(row.source.readRow(row.index).readUInt32LE());
  }
  return values;
}

describe('rows that train and rows that follow', () => {
  test('are disjoint and together the whole stream', () => {
    const plan = aPlan({});
    const training = drain(plan.nextTraining);
    const serving = drain(plan.nextServing);
    expect(training).toHaveLength(4_000);
    expect(new Set([...training, ...serving]).size).toBe(20_000);
  });

  test.each([
    ['a fifth of a short stream', 20_000, 10, 4_000],
    ['10,000 of a long one', 70_000, 10, 10_000],
    ['never under 2,000', 5_000, 10, 2_000],
    ['never under 20 per class', 10_000, 250, 5_000],
  ])('training takes %s', (_, count, classCount, expected) => {
    expect(aPlan({ traffic: rows(count), classCount }).trainingRows).toBe(expected);
  });

  test('keep the order of their clips where it counts: the first frames train, and each row knows its clip', () => {
    const traffic = {
      ...rows(6_000),
      clips: Array.from({ length: 6_000 }, (_, i) => (i < 4_000 ? 'street' : 'yard')),
    };
    const plan = aPlan({ traffic, classCount: 2, keepsOrder: true });
    const sent: PlannedRow[] = [];
    for (const next of [plan.nextTraining, plan.nextServing]) {
      for (let row = next(); row !== null; row = next()) sent.push(row);
    }
    expect(sent.filter(({ part }) => part === 'Training')).toHaveLength(2_000);
    const indexOf = (clip: string) =>
      sent.filter((row) => row.clip === clip).map(({ index }) => index);
    expect(indexOf('street')).toEqual(Array.from({ length: 4_000 }, (_, i) => i));
    expect(indexOf('yard')).toEqual(Array.from({ length: 2_000 }, (_, i) => 4_000 + i));
    expect(aPlan({ traffic }).nextTraining()?.clip).toBeNull();
  });

  test('with head traffic all of the traffic follows', () => {
    const plan = aPlan({ traffic: rows(3_000), headTraffic: rows(500, { first: 90_000 }) });
    expect([plan.trainingRows, plan.servingRows]).toEqual([500, 3_000]);
    expect(Math.min(...drain(plan.nextTraining))).toBe(90_000);
  });

  test('no row trains when nothing is trained', () => {
    expect(aPlan({ trains: false }).servingRows).toBe(20_000);
  });

  test('a row of equal bytes is sent once, whichever part it lies in', () => {
    const plan = aPlan({ traffic: rows(12_000, { distinct: 9_000 }), headTraffic: rows(100) });
    const sent = [...drain(plan.nextTraining), ...drain(plan.nextServing)];
    expect(sent).toHaveLength(9_000);
    expect(plan.droppedDuplicates).toBe(3_100);
  });

  test('the order depends on the seed alone', () => {
    expect(drain(aPlan({}).nextTraining)).toEqual(drain(aPlan({}).nextTraining));
    expect(drain(aPlan({ seed: 2 }).nextTraining)).not.toEqual(drain(aPlan({}).nextTraining));
  });

  test('--requests shortens the stream', () => {
    const plan = aPlan({ requests: 10_000 });
    expect(plan.trainingRows + plan.servingRows).toBe(10_000);
  });

  test('--loop repeats the second part and says so of each row', () => {
    const plan = aPlan({ traffic: rows(2_100), loop: true });
    expect(drain(plan.nextServing, 100)).toHaveLength(100);
    const repeated = plan.nextServing();
    expect(repeated?.isRepeated).toBe(true);
    expect(plan.repeatsFrom).toBe(101);
  });

  test('a stream that training would eat up is refused with what it takes', () => {
    expect(() => aPlan({ traffic: rows(1_500, { name: '--traffic npy:x.npy' }) })).toThrow(
      'The traffic is too short to train heads and certify them (--traffic npy:x.npy): there are 1500 rows, and training heads takes 2000 of them before any can be evidence. Bring more distinct rows, or train heads on other rows with --head-traffic. [TooLittleTraffic]',
    );
  });
});
