// The soak of soak.long.ts for as long as a few cycles take: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import { installDefinitions } from '../../cluster/kube/definitions.ts';
import { PLAYED_PODS_PLANE } from '../../support/pod-processes.ts';
import { runSoak } from './run-soak.ts';

const unavailable = await whyUnavailable('control-plane');

describe.skipIf(unavailable !== null)('a short soak', () => {
  let plane: OwnControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane(PLAYED_PODS_PLANE);
    await installDefinitions(plane);
  });
  afterAll(() => plane.stop());

  test('leaves nothing behind, fails no request, keeps nothing, and catches what does', async () => {
    const report = await runSoak(plane, {
      ...{ durationMs: 30_000, cycleMs: 0, leastCycles: 3, ratePerSecond: 5 },
      say: () => undefined,
    });
    expect(report).toMatchObject({
      ...{ failures: [], leftovers: [], leaks: [] },
      ...{ relistMisses: 0, resyncFailures: 0 },
      leaksOfControl: ['mebibytes', 'handles', 'series'],
    });
    expect(report.idleLists).toBeLessThanOrEqual(report.kinds);
    expect(report.pods).toBe(1 + 3 * report.cycles);
    expect(report.requests).toBeGreaterThan(100);
  }, 600_000);
});
