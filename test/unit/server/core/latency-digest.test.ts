import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../../server/core/invariant.ts';
import {
  bucketOf,
  countAbove,
  countAll,
  createLatencyCounter,
  mergeDigests,
  quantile,
} from '../../../../server/core/latency-digest.ts';
import type { LatencyDigest } from '../../../../crds/wire/evidence.ts';
import { expectClose } from '../../../support/expect-close.ts';

const OPTIONS = { seed: 20_260_108, numRuns: 300 };
const aDuration = fc.double({ min: 1, max: 1e9, noNaN: true });

function digestOf(durations: readonly number[]): LatencyDigest {
  const counter = createLatencyCounter();
  for (const duration of durations) counter.add(duration);
  return counter.snapshot();
}

describe('bucket', () => {
  test('bucket b holds durations from 1.02^b to below 1.02^(b+1) microseconds', () => {
    fc.assert(
      fc.property(aDuration, (duration) => {
        const bucket = bucketOf(duration);
        expect(1.02 ** bucket <= duration && duration < 1.02 ** (bucket + 1)).toBe(true);
      }),
      OPTIONS,
    );
  });

  test('borders belong to the bucket they open, whatever the logarithm rounds to', () => {
    for (let bucket = 1; bucket < 1100; bucket++) {
      const border = 1.02 ** bucket;
      expect(bucketOf(border)).toBe(bucket);
      expect(bucketOf(border * (1 - 1e-13))).toBe(bucket - 1);
    }
  });

  test('nothing is below bucket 0 and nothing above that of 10,000 seconds', () => {
    expect([0, -5, 0.5, 1, NaN].map(bucketOf)).toEqual([0, 0, 0, 0, 0]);
    expect(bucketOf(Infinity)).toBe(bucketOf(1e10));
  });
});

describe('digest', () => {
  test('it is sparse and ascending, and adding goes on after a snapshot', () => {
    const counter = createLatencyCounter();
    for (const duration of [1000, 10, 1000]) counter.add(duration);
    const early = counter.snapshot();
    counter.add(10);
    expect(early).toEqual([
      [bucketOf(10), 1],
      [bucketOf(1000), 2],
    ]);
    expect(countAll(counter.snapshot())).toBe(4);
  });

  test('merging is addition, whatever the split, the order and the grouping', () => {
    const some = fc.array(aDuration, { maxLength: 20 });
    fc.assert(
      fc.property(some, some, some, (a, b, c) => {
        const [first, second, third] = [digestOf(a), digestOf(b), digestOf(c)];
        const whole = digestOf([...c, ...a, ...b]);
        expect(mergeDigests(mergeDigests(first, second), third)).toEqual(whole);
        expect(mergeDigests(third, mergeDigests(second, first))).toEqual(whole);
      }),
      OPTIONS,
    );
  });

  test('a quantile is the ordered duration of that rank within 1 percent', () => {
    fc.assert(
      fc.property(
        fc.array(aDuration, { minLength: 1, maxLength: 50 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (durations, q) => {
          const sorted = [...durations].sort((a, b) => a - b);
          const rank = Math.max(0, Math.ceil(q * sorted.length) - 1);
          expectClose(quantile(digestOf(durations), q), sorted[rank]!, { rel: 0.0101 });
        },
      ),
      OPTIONS,
    );
  });

  test('an empty digest has no quantile and counts nothing', () => {
    expect(quantile([], 0.5)).toBeNaN();
    expect(countAbove([], 100)).toBe(0);
  });

  test.each([-0.1, 1.1, NaN])('quantile %s does not exist', (q) => {
    expect(() => quantile([], q)).toThrow(InvariantError);
  });

  test('above a limit count the buckets behind its own', () => {
    const digest = digestOf([100, 100, 100.5, 200, 300]);
    expect(countAbove(digest, 100)).toBe(2);
    expect(countAbove(digest, 50)).toBe(5);
    expect(countAbove(digest, 300)).toBe(0);
  });
});
