// Drills that need a certificate first, in real processes on a small model. `npm run test:long` builds first.
import { describe, expect, test } from 'vitest';
import { aPlace, drillOf, finished, run } from './drill-run.ts';

describe('poisoned heads', () => {
  test('are loaded, tested on live rows, rejected, and answer nothing', async () => {
    const place = aPlace(7_000);
    const report = await finished(place, run(place, '--poison-head'), 0);
    expect(drillOf(report, 'PoisonHead').message).toContain(
      'were offered and answered 0 requests; they were rejected (NotCertified)',
    );
    expect(report.errors.count).toBe(0);
  }, 600_000);
});
