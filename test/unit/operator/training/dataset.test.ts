import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeHalf } from '../../../../crds/wire/half-float.ts';
import type { SampleBatch } from '../../../../crds/wire/samples.ts';
import { mergeSamples } from '../../../../operator/training/dataset.ts';
import { standardFeatures } from '../../../../operator/training/features.ts';
import { splitRows } from '../../../../operator/training/split.ts';
import { aDigest, BACKBONE_DIGEST } from '../../../support/builders.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { aSampleBatch, sliceBatch } from '../../../support/sample-batches.ts';

const EXPECTED = { backboneDigest: BACKBONE_DIGEST, classCount: 4 };
const SPLIT = { seed: 1, validationShare: 0.2, groupMinutes: 1 };

function twoPods(): SampleBatch[] {
  const a = aSampleBatch({ rows: 60, podUid: 'pod-a', seed: 1 });
  const b = aSampleBatch({ rows: 40, podUid: 'pod-b', seed: 2 });
  return [sliceBatch(a, 0, 25), sliceBatch(a, 25, 60), b];
}

describe('merging samples', () => {
  test('any order of batches gives one data set and one digest', () => {
    const [first, second, third] = twoPods() as [SampleBatch, SampleBatch, SampleBatch];
    const straight = mergeSamples([first, second, third], EXPECTED);
    const shuffled = mergeSamples([third, second, first], EXPECTED);
    expect(shuffled).toEqual(straight);
    expect(straight.rowCount).toBe(100);
    expect(straight.pods.map(({ podUid, seq }) => [podUid, seq])).toEqual([
      ['pod-a', 60],
      ['pod-b', 40],
    ]);
  });

  test('another label, feature or row changes the digest', () => {
    const digest = (change: Partial<SampleBatch>): string =>
      mergeSamples([{ ...aSampleBatch({ rows: 30 }), ...change }], EXPECTED).digest;
    const batch = aSampleBatch({ rows: 30 });
    const same = digest({});
    const features = batch.features.map((bits) => bits.slice());
    features[1]![7]! += 1;
    const classes = batch.teacherClass.slice();
    classes[3] = (classes[3]! + 1) % 4;
    expect(digest({ features })).not.toBe(same);
    expect(digest({ teacherClass: classes })).not.toBe(same);
    expect(mergeSamples([sliceBatch(batch, 0, 29)], EXPECTED).digest).not.toBe(same);
  });

  test('a row that came twice counts once', () => {
    const batch = aSampleBatch({ rows: 30 });
    const merged = mergeSamples([batch, sliceBatch(batch, 10, 20)], EXPECTED);
    expect(merged.rowCount).toBe(30);
    expect(merged.droppedRows).toBe(10);
  });

  test('the same sequence of another life of the pod is another row', () => {
    const batch = aSampleBatch({ rows: 5 });
    expect(mergeSamples([batch, { ...batch, bootId: 'boot-2' }], EXPECTED).rowCount).toBe(10);
  });

  test('batches of another backbone, class count or exits are left out whole', () => {
    const batch = aSampleBatch({ rows: 20 });
    const strangers: SampleBatch[] = [
      { ...batch, podUid: 'pod-x', backboneDigest: aDigest(1) },
      aSampleBatch({ rows: 20, podUid: 'pod-y', classCount: 3 }),
      aSampleBatch({ rows: 20, podUid: 'pod-z', exits: [{ name: 'other', noise: 1 }] }),
    ];
    const merged = mergeSamples([...strangers, batch], EXPECTED);
    expect(merged.pods.map(({ podUid }) => podUid)).toEqual(['pod-a']);
    expect(merged.droppedRows).toBe(60);
  });

  test('which classes may be answered is of all batches or of none', () => {
    const batch = aSampleBatch({ rows: 20 });
    expect(mergeSamples([batch], EXPECTED).answerable).toBeNull();
    expect(mergeSamples([], EXPECTED).answerable).toBeNull();
    const stranger = { ...batch, podUid: 'pod-b', answerable: [1] };
    const merged = mergeSamples([{ ...batch, answerable: [0] }, stranger], EXPECTED);
    expect(merged).toMatchObject({ answerable: [0], droppedRows: 20 });
  });

  test('a row with a number that is not finite, or a class out of range, is left out alone', () => {
    const batch = aSampleBatch({ rows: 10 });
    batch.features[1]![3 * 16] = 0x7c00;
    batch.teacherLogProbabilities[5 * 4] = NaN;
    batch.teacherClass[7] = 4;
    const merged = mergeSamples([batch], EXPECTED);
    expect([...merged.sequence]).toEqual([1, 2, 3, 5, 7, 9, 10]);
  });

  test('classes beyond the recorded top share the rest of the probability evenly', () => {
    const batch: SampleBatch = {
      ...aSampleBatch({ rows: 1, exits: [] }),
      classCount: 6,
      topCount: 2,
      teacherClass: Uint32Array.of(4),
      teacherTopClasses: Uint32Array.of(4, 1),
      teacherLogProbabilities: Float32Array.of(Math.log(0.6), Math.log(0.2)),
    };
    const { teacher } = mergeSamples([batch], { ...EXPECTED, classCount: 6 });
    expectClose(teacher.map(Math.exp), [0.05, 0.2, 0.05, 0.05, 0.6, 0.05], { abs: 1e-6 });
  });

  test('a probability of zero becomes a small one', () => {
    const batch = aSampleBatch({ rows: 1 });
    batch.teacherLogProbabilities[0] = -Infinity;
    expect(mergeSamples([batch], EXPECTED).teacher[0]).toBe(-60);
  });

  test('rows of a pod weigh what they stand for, with mean 1 and at most 20', () => {
    const [a, b] = [
      aSampleBatch({ rows: 60, podUid: 'pod-a', rowsSeen: 60 }),
      aSampleBatch({ rows: 40, podUid: 'pod-b', rowsSeen: 240 }),
    ];
    const { weight } = mergeSamples([a, b], EXPECTED);
    expectClose([weight[0]!, weight[99]!], [1 / 3, 2], { rel: 1e-6 });
    const rare = aSampleBatch({ rows: 1, podUid: 'pod-b', rowsSeen: 1e6 });
    const crowd = aSampleBatch({ rows: 60, podUid: 'pod-a', rowsSeen: 60 });
    expect(mergeSamples([crowd, rare], EXPECTED).weight[60]).toBe(20);
  });

  test('no batches give no rows', () => {
    expect(mergeSamples([], EXPECTED)).toMatchObject({ rowCount: 0, exits: [], droppedRows: 0 });
  });
});

describe('the split', () => {
  test('groups never straddle and validation has its share of rows to within one group', () => {
    const settings = fc.record({
      rows: fc.integer({ min: 0, max: 900 }),
      rowsPerMinute: fc.integer({ min: 1, max: 400 }),
      groupMinutes: fc.integer({ min: 1, max: 3 }),
      seed: fc.integer({ min: 0, max: 1000 }),
    });
    fc.assert(
      fc.property(settings, ({ rows, rowsPerMinute, groupMinutes, seed }) => {
        const data = mergeSamples([aSampleBatch({ rows, rowsPerMinute, exits: [] })], EXPECTED);
        const { training, validation } = splitRows(data, { ...SPLIT, groupMinutes, seed });
        expect(training.length + validation.length).toBe(rows);
        const minutes = Math.ceil(Math.ceil(rows / rowsPerMinute) / groupMinutes);
        const groupRows = minutes >= 10 ? rowsPerMinute * groupMinutes : 50;
        const groupsOf = (part: Uint32Array): Set<number> =>
          new Set(Array.from(part, (row) => Math.floor(row / groupRows)));
        const ours = groupsOf(training);
        expect([...groupsOf(validation)].filter((group) => ours.has(group))).toEqual([]);
        expect(Math.abs(validation.length - 0.2 * rows)).toBeLessThanOrEqual(groupRows);
      }),
      { seed: 3, numRuns: 40 },
    );
  });

  test('another seed draws other groups; equal seeds agree', () => {
    const data = mergeSamples(
      [aSampleBatch({ rows: 800, rowsPerMinute: 20, exits: [] })],
      EXPECTED,
    );
    expect(splitRows(data, SPLIT)).toEqual(splitRows(data, SPLIT));
    expect(splitRows(data, SPLIT)).not.toEqual(splitRows(data, { ...SPLIT, seed: 2 }));
  });

  test('traffic younger than ten minutes is split by runs of 50 rows', () => {
    const data = mergeSamples([aSampleBatch({ rows: 500, exits: [] })], EXPECTED);
    const { validation } = splitRows(data, SPLIT);
    expect(validation.length).toBe(100);
    expect(new Set(Array.from(validation, (row) => Math.floor(row / 50))).size).toBe(2);
  });
});

describe('standardised features', () => {
  const batch = aSampleBatch({ rows: 50, exits: [{ name: 'early', noise: 1 }] });
  const data = mergeSamples([batch], EXPECTED);
  const source = data.exits[0]!;
  const rows = Uint32Array.from({ length: 40 }, (_, i) => i);

  test('have mean 0 and deviation 1 over the training rows', () => {
    const { x, featureCount } = standardFeatures(source, 2, rows);
    for (let i = 0; i < featureCount; i++) {
      const column = Array.from(rows, (row) => x[row * featureCount + i]!);
      const mean = column.reduce((sum, v) => sum + v, 0) / 40;
      expectClose(mean, 0, { abs: 1e-5 });
      expectClose(column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 40, 1, { abs: 1e-4 });
    }
  });

  test('of a coarser pool are area-weighted means of the recorded cells', () => {
    const { featureCount, mean, scale, x } = standardFeatures(source, 1, rows);
    expect(featureCount).toBe(4);
    const fine = decodeHalf(source.features).subarray(0, 16);
    // 7 x 7 in 2 x 2 cells: 3 and 4 wide.
    const area = [9, 12, 12, 16].map((cells) => cells / 49);
    const coarse = area.reduce((sum, share, cell) => sum + share * fine[cell * 4]!, 0);
    expectClose(x[0]! * scale[0]! + mean[0]!, coarse, { abs: 1e-5 });
  });

  test('a feature that never varies is not blown up', () => {
    const features = source.features.slice();
    for (let row = 0; row < 50; row++) features[row * 16] = 0x3c00;
    const { scale, x } = standardFeatures({ ...source, features }, 2, rows);
    expect(scale[0]).toBeGreaterThan(5e-4);
    expect(x[0]).toBe(0);
    const dead = standardFeatures({ ...source, features: new Uint16Array(800) }, 2, rows);
    expect([...dead.scale].every((s) => s === 1)).toBe(true);
  });

  test('stay within 8', () => {
    const features = source.features.slice();
    features[45 * 16] = 0x7bff;
    features[46 * 16] = 0xfbff;
    const { x } = standardFeatures({ ...source, features }, 2, rows);
    expect([x[45 * 16], x[46 * 16]]).toEqual([8, -8]);
  });
});
