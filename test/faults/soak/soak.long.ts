// Two hours, or as many as `LAYERCACHE_SOAK_HOURS` says: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installDefinitions } from '../../cluster/kube/definitions.ts';
import { openRecord } from '../../promises/open-record.ts';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import { PLAYED_PODS_PLANE } from '../../support/pod-processes.ts';
import { runSoak } from './run-soak.ts';

const recordSoak = openRecord('soak');

const HOUR_MS = 3_600_000;
const hours = Number(process.env.LAYERCACHE_SOAK_HOURS ?? '2');
/** Seldom enough that the machine is mostly idle. */
const CYCLE_MS = 240_000;
const unavailable = await whyUnavailable('control-plane');

describe.skipIf(unavailable !== null)('a soak', () => {
  let plane: OwnControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane(PLAYED_PODS_PLANE);
    await installDefinitions(plane);
  });
  afterAll(() => plane.stop());

  test(
    'of two hours leaves nothing behind, fails no request, keeps nothing, and catches what does',
    { timeout: hours * HOUR_MS + 1_800_000 },
    async () => {
      const report = await runSoak(plane, {
        ...{ durationMs: hours * HOUR_MS, cycleMs: CYCLE_MS, leastCycles: 4, ratePerSecond: 2 },
        say: (line) => process.stdout.write(`${line}\n`),
      });
      process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      const { growth, failures, leftovers, leaks, leaksOfControl, ...figures } = report;
      recordSoak({
        ...figures,
        failures: failures.length,
        leftovers: leftovers.length,
        leaks: leaks.length,
        leaksOfControl: leaksOfControl.length,
        operatorMebibytes: growth.operator?.mebibytes ?? NaN,
        serverMebibytes: growth.server?.mebibytes ?? NaN,
      });
      expect(report).toMatchObject({ failures: [], leftovers: [], leaks: [] });
      expect(leaksOfControl).toEqual(['mebibytes', 'handles', 'series']);
      expect(report.relistMisses).toBeLessThanOrEqual(10);
      expect(report.resyncFailures).toBeLessThanOrEqual(5);
      // Silence costs fewer lists than the periodic ones, of which each kind has one every ten minutes.
      expect(report.idleLists).toBeLessThan(report.kinds * report.hours * 6);
    },
  );
});
