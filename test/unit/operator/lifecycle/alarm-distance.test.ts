import { expect, test } from 'vitest';
import { alarmDistance } from '../../../../operator/lifecycle/alarm-distance.ts';
import {
  aLedger,
  aServingLedger,
  aStable,
  aVoidedStable,
} from '../../../support/ledger-builders.ts';

const seen = (s: number, dispersion = 1) =>
  aServingLedger({
    stable: aStable({
      detector: { budget: 0.01, s: new Array<number>(6).fill(s) },
      certificate: { ...aStable().certificate!, dispersion },
    }),
  });

test('a detector that has seen nothing is at 0, one at the alarm level at 1, and evidence counts by its logarithm', () => {
  expect(alarmDistance(seen(0))).toBe(0);
  expect(alarmDistance(seen(20_000))).toBe(1);
  const half = alarmDistance(seen(Math.sqrt(20_000)))!;
  expect(half).toBeGreaterThan(0.49);
  expect(half).toBeLessThan(0.51);
});

test('bursts lower the level', () => {
  expect(alarmDistance(seen(5_000, 4))!).toBeGreaterThan(alarmDistance(seen(5_000))!);
});

test('nothing is watched without heads, without a certificate, and while exits are off', () => {
  expect(alarmDistance(aLedger())).toBeNull();
  expect(alarmDistance(aServingLedger({ stable: aVoidedStable() }))).toBeNull();
  const off = aStable({ off: 'InsufficientSamples' });
  expect(alarmDistance(aServingLedger({ stable: off }))).toBeNull();
});
