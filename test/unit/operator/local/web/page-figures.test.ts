import { describe, expect, test } from 'vitest';
import * as format from '../../../../../operator/local/page/state/format.ts';
import { createCurveCounter } from '../../../../../operator/local/web/curve.ts';
import { createDoubtCounter } from '../../../../../operator/local/web/doubt.ts';
import { exitFigures, keptOf, savingsOf } from '../../../../../operator/local/web/exit-figures.ts';
import {
  createHistory,
  runPoint,
  type RunTotals,
} from '../../../../../operator/local/web/history.ts';
import {
  digestSince,
  quantilesOf,
  quantilesOfDigest,
} from '../../../../../operator/local/web/quantiles.ts';
import { createTimeline } from '../../../../../operator/local/web/timeline.ts';
import { boundedLossTail } from '../../../../../server/core/bounded-loss.ts';
import { createLatencyCounter } from '../../../../../server/core/latency-digest.ts';
import { expectClose } from '../../../../support/expect-close.ts';
import { aBundle, aHead, aState, aWindow, DIGEST_B, DIGEST_C } from '../../../crds/documents.ts';

describe('texts of figures', () => {
  test.each([
    ['grouped', 12_345.6, '12,346'],
    ['rate', 0, '0'],
    ['rate', 3.26, '3.3'],
    ['rate', 212.4, '212'],
    ['percent', 0.4153, '41.5%'],
    ['finePercent', 0.00712, '0.71%'],
    ['plainPercent', 0.005, '0.5%'],
    ['milliseconds', 3.14159, '3.14'],
    ['milliseconds', -31.44, '-31.4'],
    ['milliseconds', 314.4, '314'],
    ['clockTime', 95.9, '1:35'],
    ['clockTime', 3_725, '1:02:05'],
    ['duration', 2.13, '2.1 s'],
    ['duration', 95.2, '1 min 35 s'],
    ['bytes', 0, '0 B'],
    ['bytes', 2_097_152, '2.0 MiB'],
    ['lambda', 0.00316228, '0.00316'],
  ] as const)('%s of %d is %s', (name, value, text) => {
    expect(format.FORMATS[name](value)).toBe(text);
  });

  test.each(Object.entries(format.FORMATS))('%s of no figure is a dash', (_, write) => {
    expect([write(null), write(NaN), write(Infinity)]).toEqual(['–', '–', '–']);
  });

  test('times are the clock of a run, and of a service the time of day with the date of another day', () => {
    const startMs = Date.parse('2027-01-14T22:00:00Z');
    const time = format.timeText(startMs, 36_005);
    expect(time(36_005)).toBe('08:00:05');
    expect(time(60)).toBe('01-14 22:01');
    expect(time(null)).toBe('–');
    expect(format.timeText(null, 36_005)(95.9)).toBe('1:35');
  });

  test('heads are told apart by eight digits', () => {
    expect(format.shortDigest(DIGEST_B)).toBe('bbbbbbbb');
    expect(format.shortDigest(null)).toBe('–');
  });
});

describe('quantiles', () => {
  const values = Array.from({ length: 100 }, (_, i) => i + 1);

  test('of values are by nearest rank', () => {
    expect(quantilesOf([])).toBeNull();
    expect(quantilesOf(values)).toEqual({ n: 100, mean: 50.5, p50: 50, p95: 95, p99: 99 });
  });

  test('of a digest are within a hundredth of those of its values', () => {
    const counter = createLatencyCounter();
    for (const ms of values) counter.add(ms * 1_000);
    const { n, mean, p50, p95, p99 } = quantilesOfDigest(counter.snapshot())!;
    expect(n).toBe(100);
    for (const [actual, expected] of [
      [mean, 50.5],
      [p50, 50],
      [p95, 95],
      [p99, 99],
    ] as const) {
      expectClose(actual, expected, { rel: 0.0101 });
    }
    expect(quantilesOfDigest([])).toBeNull();
  });

  test('of what came since a snapshot leave out what was before', () => {
    expect(
      digestSince(
        [
          [1, 5],
          [2, 3],
          [9, 1],
        ],
        [
          [1, 5],
          [2, 1],
        ],
      ),
    ).toEqual([
      [2, 2],
      [9, 1],
    ]);
  });
});

describe('history', () => {
  const counter = createLatencyCounter();
  function totals(atSeconds: number, requests: number): RunTotals {
    counter.add(2_000);
    return {
      atSeconds,
      requests,
      errors: 2 * atSeconds,
      exitRows: [requests - 10, 10],
      latency: counter.snapshot(),
      disagreement: { n: atSeconds > 2 ? 50 : 0, k: 1, upper: 0.09 },
      queuedRows: 3,
    };
  }

  test('is what came between two readings, per second', () => {
    const history = createHistory(runPoint);
    expect(history.add(totals(1, 100))).toBeNull();
    const point = history.add(totals(3, 300));
    expect(point).toMatchObject({
      atSeconds: 3,
      rowsPerSecond: 100,
      errorsPerSecond: 2,
      exitRows: [200, 0],
      audits: 50,
      disagreement: 0.02,
      upper: 0.09,
      queuedRows: 3,
    });
    expectClose(point?.p50 ?? NaN, 2, { rel: 0.011 });
    expect(history.points()).toEqual([point]);
  });

  test('has no point for a moment that it had, and no quantile without a request', () => {
    const history = createHistory(runPoint);
    const first = totals(1, 100);
    history.add(first);
    expect(history.add({ ...first })).toBeNull();
    expect(history.add({ ...first, atSeconds: 2 })).toMatchObject({
      rowsPerSecond: 0,
      p50: null,
      disagreement: null,
      upper: null,
    });
  });

  test('keeps thirty minutes', () => {
    const history = createHistory(runPoint);
    const reading = totals(0, 0);
    for (let second = 0; second <= 1_900; second++) {
      history.add({ ...reading, atSeconds: second });
    }
    expect(history.points()).toHaveLength(1_800);
    expect(history.points()[0]?.atSeconds).toBe(101);
  });
});

describe('the curve over lambda', () => {
  const column = (value: number): number[] => Array.from({ length: 120 }, () => value);
  const window = aWindow({ grid: { n: 10, dis: column(1), leave: [column(6), column(2)] } });

  test('adds the audited rows of each head revision up', () => {
    const curve = createCurveCounter();
    expect(curve.of(DIGEST_B)).toBeNull();
    curve.add(window);
    curve.add({ ...window, grid: { n: 30, dis: column(0), leave: [column(10), column(0)] } });
    curve.add(aWindow({ headRevision: DIGEST_C }));
    curve.add(aWindow({ headRevision: null }));
    const { n, lambda, disagreement, leaving } = curve.of(DIGEST_B)!;
    expect([n, lambda.length, disagreement.length, leaving.length]).toEqual([40, 40, 40, 40]);
    expect([disagreement[0], leaving[39]]).toEqual([1 / 40, 18 / 40]);
    expect(lambda.at(-1)).toBe(0.5);
    expect(curve.of(null)).toBeNull();
  });

  test('forgets what came before an alarm, and the revisions that are long silent', () => {
    const curve = createCurveCounter();
    curve.add(window);
    curve.forget();
    expect(curve.of(DIGEST_B)).toBeNull();
    for (let i = 0; i < 5; i++) curve.add({ ...window, headRevision: `revision-${i}` });
    expect(curve.of('revision-0')).toBeNull();
    expect(curve.of('revision-4')?.n).toBe(10);
  });
});

describe('doubt', () => {
  test('is counted since the heads came, and over the last minute', () => {
    const doubt = createDoubtCounter();
    expect(doubt.of('late', 0)).toBeNull();
    doubt.add(aWindow(), 0);
    doubt.add(aWindow(), 59_000);
    const once = Array.from({ length: 16 }, (_, i) => 2 * i);
    expect(doubt.of('late', 61_000)).toEqual({ all: once.map((n) => 2 * n), recent: once });
  });

  test('starts anew with new heads, but not for the old ones beside them', () => {
    const doubt = createDoubtCounter();
    doubt.add(aWindow(), 0);
    doubt.add(aWindow({ headRevision: DIGEST_C, track: 'stable', share: 0.75 }), 1);
    expect(doubt.of('late', 2)?.all[1]).toBe(2);
    doubt.add(aWindow({ headRevision: DIGEST_C, track: 'candidate' }), 3);
    doubt.add(aWindow({ headRevision: null }), 4);
    expect(doubt.of('late', 5)?.all[1]).toBe(2);
  });
});

describe('figures of an exit', () => {
  const bundle = aBundle({
    heads: [aHead({ exit: 'early', tensor: 'block2/out', featureCount: 32, hidden: 0 })],
    classCount: 10,
  });

  test('savings are of a row at the batch size in which most rows come', () => {
    // Of 8 rows: 20 ms plain, 7.2 ms to the exit, 20.3 ms to the end past head and compaction.
    const savings = savingsOf(bundle, aState());
    expectClose(savings.get('early')?.savedMs ?? NaN, (20 - 7.2) / 8, { abs: 1e-9 });
    expectClose(savings.get('backbone')?.savedMs ?? NaN, -0.3 / 8, { abs: 1e-9 });
    expect(savingsOf(undefined, aState()).size).toBe(0);
    expect(savingsOf(bundle, aState({ costs: null })).get('early')?.savedMs).toBeNull();
  });

  test('agreement is bounded from both sides, and unknown without audits', () => {
    const exit = { name: 'early', tensor: 'block2/out', isOn: true };
    const counted = {
      rows: 900,
      line: {
        name: 'early',
        rowsPerSecond: 90,
        shareRatio: 0.6,
        audits: 100,
        disagreements: 2,
        p50Ms: 1,
        p99Ms: 2,
        savedRatio: null,
      },
      latency: [],
      saving: undefined,
      doubt: null,
      confidence: 0.95,
    };
    const { agreement } = exitFigures(exit, counted);
    // Two-sided 95 % of Clopper and Pearson for 98 of 100, as R's binom.test prints it.
    expectClose(agreement?.low ?? NaN, 0.9296161, { abs: 1e-6 });
    expectClose(agreement?.high ?? NaN, 0.9975687, { abs: 1e-6 });
    expect(exitFigures(exit, { ...counted, line: undefined })).toMatchObject({
      rows: 900,
      audits: 0,
      agreement: null,
      latency: null,
      savedMs: null,
    });
  });

  test('of boxes that can be partly right the mean F1 is bounded, by the test of their losses', () => {
    const counts = { audits: 1_000, disagreements: 2.5 };
    const kept = keptOf(counts, { confidence: 0.95, agreement: 'F1' })!;
    expectClose(kept.ratio, 0.9975, { rel: 1e-12 });
    // At the level 0.025 as an upper limit of the loss: exits.md 6.7 has p = 0.0172 at 0.01.
    expect(1 - kept.low).toBeLessThan(0.01);
    expectClose(boundedLossTail(1_000, 2.5, 1 - kept.low), 0.025, { rel: 1e-6 });
    expectClose(boundedLossTail(1_000, 997.5, kept.high), 0.025, { rel: 1e-6 });
    expect(keptOf({ audits: 0, disagreements: 0 }, { confidence: 0.95 })).toBeNull();
  });
});

describe('the timeline', () => {
  test('joins what people take for one stage, and parts a ramp by its shares', () => {
    const timeline = createTimeline();
    timeline.enter('Collecting', null, 2);
    timeline.enter('Collecting', null, 3);
    timeline.enter('Staging', null, 5);
    timeline.enter('Shadowing', null, 6);
    timeline.enter('Ramping', 0.25, 9);
    timeline.enter('Ramping', 1, 11);
    expect(timeline.spans()).toEqual([
      { stage: 'Load', share: null, startSeconds: 0, endSeconds: 2 },
      { stage: 'Collect', share: null, startSeconds: 2, endSeconds: 5 },
      { stage: 'Certify', share: null, startSeconds: 5, endSeconds: 9 },
      { stage: 'Ramp', share: 0.25, startSeconds: 9, endSeconds: 11 },
      { stage: 'Ramp', share: 1, startSeconds: 11, endSeconds: null },
    ]);
  });
});
