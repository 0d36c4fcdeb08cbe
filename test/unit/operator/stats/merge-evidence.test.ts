import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  takeFresh,
  type PodWindows,
  type Watermark,
} from '../../../../operator/stats/merge-evidence.ts';
import { anEvidenceWindow } from '../../../support/builders.ts';

const NOW = 1_000_000;

function report(seqs: readonly number[], fields: Partial<PodWindows> = {}): PodWindows {
  const { podUid = 'pod-a', bootId = 'boot-1' } = fields;
  const windows = seqs.map((seq) => anEvidenceWindow({ podUid, bootId, seq, audits: seq }));
  return { podUid, bootId, windows, droppedSeqs: [], oldestSeq: 1, ...fields };
}

const mark = (seq: number, fields: Partial<Watermark> = {}): Watermark => ({
  podUid: 'pod-a',
  bootId: 'boot-1',
  seq,
  seenMs: NOW,
  ...fields,
});

function take(marks: readonly Watermark[], ...reports: PodWindows[]) {
  const { windows, watermarks, missing } = takeFresh(marks, reports, NOW);
  return { seqs: windows.map(({ seq }) => seq), marks: watermarks, missing };
}

describe('windows', () => {
  test('after the watermark count, those up to it do not', () => {
    expect(take([mark(2)], report([1, 2, 3, 4]))).toEqual({
      seqs: [3, 4],
      marks: [mark(4)],
      missing: [],
    });
  });

  test('of a boot without a watermark count from its oldest', () => {
    expect(take([], report([7, 8], { oldestSeq: 7 }))).toMatchObject({ seqs: [7, 8], missing: [] });
  });

  test('of a new boot start again from 1', () => {
    const after = take([mark(9)], report([1, 2], { bootId: 'boot-2' }));
    expect(after.seqs).toEqual([1, 2]);
    expect(after.marks).toEqual([mark(9), mark(2, { bootId: 'boot-2' })]);
  });

  test('of another pod or boot than the report names are ignored', () => {
    const foreign = [
      anEvidenceWindow({ podUid: 'pod-b', seq: 1 }),
      anEvidenceWindow({ bootId: 'boot-0', seq: 1 }),
    ];
    expect(take([], report([], { windows: foreign }))).toEqual({
      seqs: [],
      marks: [],
      missing: [],
    });
  });

  test('behind a hole wait for it', () => {
    expect(take([mark(1)], report([2, 4, 5]))).toMatchObject({
      seqs: [2],
      marks: [mark(2)],
      missing: [],
    });
  });

  test('behind a hole count once 30 are there: it does not come any more', () => {
    const seqs = Array.from({ length: 30 }, (_, i) => 5 + i);
    const taken = take([mark(2)], report(seqs));
    expect(taken.seqs).toEqual(seqs);
    expect(taken.missing).toEqual([{ podUid: 'pod-a', windows: 2 }]);
  });

  test('behind a hole count only with 30 behind that very hole', () => {
    const seqs = Array.from({ length: 29 }, (_, i) => 5 + i);
    const taken = take([mark(2)], report([3, ...seqs]));
    expect(taken).toEqual({ seqs: [3], marks: [mark(3)], missing: [] });
  });

  test('that fell off the ring are missing', () => {
    expect(take([mark(2)], report([6, 7], { oldestSeq: 6 }))).toEqual({
      seqs: [6, 7],
      marks: [mark(7)],
      missing: [{ podUid: 'pod-a', windows: 3 }],
    });
  });

  test('that the parser dropped are missing, and those behind them count', () => {
    const taken = take([mark(2)], report([3, 5], { droppedSeqs: [4, Number.NaN] }));
    expect(taken).toMatchObject({ seqs: [3, 5], missing: [{ podUid: 'pod-a', windows: 1 }] });
  });

  test('that the parser dropped without a number that windows have move no watermark', () => {
    const taken = take([mark(2)], report([4], { droppedSeqs: [2.5, Number.NaN, Infinity] }));
    expect(taken).toEqual({ seqs: [], marks: [mark(2)], missing: [] });
  });

  test('come sorted by pod, whatever order the reports came in', () => {
    const [a, b] = [report([1]), report([1], { podUid: 'pod-b' })];
    const podsOf = (reports: PodWindows[]): string[] =>
      takeFresh([], reports, NOW).windows.map(({ podUid }) => podUid);
    expect(podsOf([b, a])).toEqual(['pod-a', 'pod-b']);
    expect(podsOf([a, b])).toEqual(['pod-a', 'pod-b']);
  });

  test('of a boot with nothing to say leave no watermark', () => {
    expect(take([], report([]))).toEqual({ seqs: [], marks: [], missing: [] });
  });

  test('of a boot with nothing new to say keep their watermark alive', () => {
    const before = mark(2, { seenMs: NOW - 3_599_999 });
    expect(take([before], report([]))).toEqual({ seqs: [], marks: [mark(2)], missing: [] });
  });

  test('that fell off the ring of a boot with nothing new to say are missing', () => {
    expect(take([mark(2)], report([], { oldestSeq: 6 }))).toEqual({
      ...{ seqs: [], marks: [mark(5)] },
      missing: [{ podUid: 'pod-a', windows: 3 }],
    });
  });

  test('of boots that nobody reported for an hour are forgotten', () => {
    const old = mark(5, { bootId: 'boot-0', seenMs: NOW - 3_600_000 });
    const recent = mark(5, { bootId: 'boot-2', seenMs: NOW - 3_599_999 });
    expect(take([old, recent], report([]))).toMatchObject({ marks: [recent] });
  });
});

describe('counting', () => {
  /** Audited rows that a history of answers counts in all. */
  function countAll(answers: readonly PodWindows[][]): {
    rows: number;
    marks: Map<string, number>;
  } {
    let marks: readonly Watermark[] = [];
    let rows = 0;
    for (const reports of answers) {
      const fresh = takeFresh(marks, reports, NOW);
      marks = fresh.watermarks;
      rows += fresh.windows.reduce((sum, window) => sum + window.grid.n, 0);
    }
    return { rows, marks: new Map(marks.map((m) => [`${m.podUid} ${m.bootId}`, m.seq])) };
  }

  test('gives the same rows and watermarks for any order and multiplicity of the windows', () => {
    const answer = fc.record({
      pod: fc.constantFrom('pod-a', 'pod-b'),
      boot: fc.constantFrom('boot-1', 'boot-2'),
      seqs: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 12 }),
    });
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 12 }), (history) => {
        const all = Array.from({ length: 12 }, (_, i) => i + 1);
        const whole = ['pod-a', 'pod-b'].flatMap((podUid) =>
          ['boot-1', 'boot-2'].map((bootId) => report(all, { podUid, bootId })),
        );
        const noisy = history.map(({ pod, boot, seqs }) => [
          report(seqs, { podUid: pod, bootId: boot }),
        ]);
        expect(countAll([...noisy, whole, whole])).toEqual(countAll([whole]));
      }),
      { seed: 4_003 },
    );
  });
});
