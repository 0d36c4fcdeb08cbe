import { describe, expect, test } from 'vitest';
import type { SeenRow } from '../../../../../server/core/drift/audit-span.ts';
import {
  createDriftTracker,
  type DriftTracker,
} from '../../../../../server/core/drift/drift-tracker.ts';
import { seededRandom } from '../../../../support/seeded-random.ts';

const source = seededRandom(21);
const random = (): number => source.uniform();

/** A row of the traffic that the heads met first, or of one that is unlike it. */
function aRow(change: Partial<SeenRow> = {}): SeenRow {
  const leaves = random() < 0.6;
  return {
    leaves,
    firstScore: 0.5 + random() * 0.49,
    backboneClass: Math.floor(random() * 10),
    backboneConfidence: 0.7 + random() * 0.3,
    ...change,
  };
}

function audit(tracker: DriftTracker, rows: number, change: () => Partial<SeenRow> = () => ({})) {
  for (let i = 0; i < rows; i++) tracker.audited(aRow(change()), 0);
}

function answer(tracker: DriftTracker, left: number, rows: number): void {
  for (let i = 0; i < rows; i++) tracker.answered(i < left);
}

function aTracker(): DriftTracker {
  const tracker = createDriftTracker();
  tracker.under('heads');
  audit(tracker, 1_000);
  return tracker;
}

test('traffic that stays as it was gives no hint', () => {
  const tracker = aTracker();
  for (let span = 0; span < 20; span++) {
    audit(tracker, 1_000);
    answer(tracker, 600, 1_000);
    tracker.tick(0);
    expect(tracker.active(0)).toEqual([]);
  }
});

describe('each hint is about one thing', () => {
  test.each<[string, () => Partial<SeenRow>]>([
    ['score_shift', () => ({ firstScore: 0.2 + random() * 0.3 })],
    ['class_mix', () => ({ backboneClass: Math.floor(random() * 5) })],
    ['teacher_confidence', () => ({ backboneConfidence: 0.5 + random() * 0.3 })],
  ])('%s', (kind, change) => {
    const tracker = aTracker();
    audit(tracker, 999, change);
    expect(tracker.active(0)).toEqual([]);
    audit(tracker, 1, change);
    expect(tracker.active(0)).toEqual([kind]);
  });

  test('hit_rate, after two windows in a row', () => {
    const tracker = aTracker();
    const window = (left: number) => {
      answer(tracker, left, 1_000);
      tracker.tick(0);
    };
    window(300);
    window(600);
    window(300);
    expect(tracker.active(0)).toEqual([]);
    // Nothing was served: neither better nor worse.
    tracker.tick(0);
    window(300);
    expect(tracker.active(0)).toEqual(['hit_rate']);
  });
});

test('a hint holds for 10 minutes', () => {
  const tracker = aTracker();
  audit(tracker, 1_000, () => ({ backboneClass: 3 }));
  expect(tracker.active(599_999)).toEqual(['class_mix']);
  expect(tracker.active(600_000)).toEqual([]);
});

test('nothing is compared before 1,000 audited rows, or while nothing may leave', () => {
  const tracker = createDriftTracker();
  tracker.under('heads');
  for (let i = 0; i < 3; i++) {
    answer(tracker, 0, 1_000);
    tracker.tick(0);
  }
  expect(tracker.active(0)).toEqual([]);
  tracker.under(null);
  audit(tracker, 3_000, () => ({ backboneClass: Math.floor(random() * 2) }));
  expect(tracker.active(0)).toEqual([]);
});

test('other heads, another certificate or another lambda start anew, the same one goes on', () => {
  const tracker = aTracker();
  audit(tracker, 1_000, () => ({ backboneClass: 3 }));
  tracker.under('heads');
  expect(tracker.active(0)).toEqual(['class_mix']);
  tracker.under('other heads');
  expect(tracker.active(0)).toEqual([]);
  audit(tracker, 2_000, () => ({ backboneClass: 3 }));
  expect(tracker.active(0)).toEqual([]);
});

test('scores and confidences that are not finite are left out', () => {
  const tracker = createDriftTracker();
  tracker.under('heads');
  audit(tracker, 3_000, () => ({ firstScore: NaN, backboneConfidence: NaN }));
  expect(tracker.active(0)).toEqual([]);
});
