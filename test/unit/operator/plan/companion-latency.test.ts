import { expect, test } from 'vitest';
import { toServiceSettings } from '../../../../crds/v1alpha1/settings.ts';
import { withCompanionLatency } from '../../../../operator/plan/companion-latency.ts';
import { aService } from '../../crds/v1alpha1/service.ts';

const SETTINGS = toServiceSettings(aService(), { local: false });
const EXITS = [
  { modelDigest: 'sha256:1', msShare: 0.125 },
  { modelDigest: 'sha256:2', msShare: 0.25 },
  { msShare: 0.5 },
];

test('the default check of latency grants what companions add, and no other check does', () => {
  const { checks } = withCompanionLatency(SETTINGS, EXITS, { checksNamed: false });
  expect(checks).toEqual([
    { type: 'ErrorRate', maxRegression: 0.001 },
    { type: 'LatencyP99', maxRegression: 0.05 + 0.375 },
  ]);
});

test('checks of the spec stand, and so do the defaults without a companion', () => {
  expect(withCompanionLatency(SETTINGS, EXITS, { checksNamed: true })).toBe(SETTINGS);
  expect(withCompanionLatency(SETTINGS, EXITS.slice(2), { checksNamed: false })).toBe(SETTINGS);
});
