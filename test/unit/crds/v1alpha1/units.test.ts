import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseByteSize } from '../../../../crds/v1alpha1/byte-size.ts';
import { formatDuration, parseDuration } from '../../../../crds/v1alpha1/duration.ts';
import { formatPercent, parsePercent } from '../../../../crds/v1alpha1/percent.ts';
import { SEED } from '../damage.ts';

test('a percentage is the double nearest to its ratio', () => {
  expect(['0%', '1%', '0.7%', '99.9%', '0.0001%', '100%'].map(parsePercent)).toEqual([
    0, 0.01, 0.007, 0.999, 0.000001, 1,
  ]);
});

test('anything that is no percentage is NaN', () => {
  for (const text of ['1', '%', '101%', '1.23456%', '-1%', '1e1%', ' 1%', '1%%', '.5%', '5.%']) {
    expect(parsePercent(text)).toBeNaN();
  }
});

test('ratios and percentages convert both ways', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (steps) => {
      const ratio = parsePercent(formatPercent(steps / 1_000_000));
      expect(ratio).toBe(steps / 1_000_000);
    }),
    { seed: SEED },
  );
});

test('a duration is the sum of its groups in milliseconds', () => {
  expect(['0s', '2ms', '1h30m', '168h', '1m1s1ms', '90s'].map(parseDuration)).toEqual([
    0, 2, 5_400_000, 604_800_000, 61_001, 90_000,
  ]);
});

test('anything that is no duration is NaN', () => {
  for (const text of ['1', 's', '1d', '1.5h', '-1s', '1 h', '123456s', '1h1m1s1ms1h', '']) {
    expect(parseDuration(text)).toBeNaN();
  }
});

test('durations convert both ways', () => {
  expect([0, 5_400_000, 61_001].map(formatDuration)).toEqual(['0s', '1h30m', '1m1s1ms']);
  fc.assert(
    fc.property(fc.nat(604_800_000), (durationMs) => {
      expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
    }),
    { seed: SEED },
  );
});

test('a size is bytes, with or without a binary suffix', () => {
  expect(['1', '1000', '1Ki', '16Mi', '1Gi'].map(parseByteSize)).toEqual([
    1,
    1000,
    1024,
    2 ** 24,
    2 ** 30,
  ]);
  for (const text of ['', 'Mi', '1M', '1.5Mi', '-1', '12345678901']) {
    expect(parseByteSize(text)).toBeNaN();
  }
});
