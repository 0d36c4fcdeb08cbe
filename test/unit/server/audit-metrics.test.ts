// What audits count for people: how many answers differ, and what they lose by the agreement of the service.
import { expect, test } from 'vitest';
import type { AgreementName } from '../../../crds/wire/agreement.ts';
import { createMetricRegistry } from '../../../server/metrics.ts';
import type { Serving } from '../../../server/serving.ts';
import { createTrafficMetrics, type FinishedBatch } from '../../../server/traffic-metrics.ts';
import { fakeBundle } from '../../support/test-server.ts';

/** Two rows left at the second exit, one of them partly wrong; the last went to the end. */
async function countedBy(agreement: AgreementName | null): Promise<string[]> {
  const bundle = fakeBundle(1);
  const registry = createMetricRegistry('vision');
  registry.followExits(new Set(bundle.heads.map(({ exit }) => exit)));
  const serving = {
    plan: { tracks: [{ track: 'stable', bundle }], samples: [] },
    policy: agreement === null ? null : { agreement },
    costs: { cuts: [] },
  } as unknown as Serving;
  const answers = [1, 1, -1].map((exit) => ({ exit, classId: 1 }));
  const audits = [0, 3, 7].map((lossTenths, row) => ({
    ...{ row, backboneClass: 1, backboneConfidence: NaN },
    tracks: [
      {
        scores: Float64Array.of(0.5, 0.9),
        classes: Int32Array.of(0, 1),
        lossTenths: Uint8Array.of(10, lossTenths),
      },
    ],
  }));
  const rows = answers.map(() => ({ track: 'stable', audited: true }));
  const seconds = { segment: 0, head: 0, companion: 0, compact: 0, audit: 0, plain: 0 };
  const outcome = { audits, seconds, segments: [], nonFiniteHeads: [] };
  createTrafficMetrics(registry.metrics).batchFinished({
    ...{ serving, outcome, answers, rows },
  } as unknown as FinishedBatch);
  const { text } = await registry.render();
  return text
    .split('\n')
    .filter((line) => /^layercache_audit(s|_loss_rows)_total\{/.test(line) && !line.endsWith(' 0'))
    .map((line) => line.replace(/^layercache_(\w+)_total\{(.*)\} (.*)$/, '$1 $2 $3'));
}

const AUDITS = [
  'audits exit="late",track="stable",result="agree",model="vision" 1',
  'audits exit="late",track="stable",result="disagree",model="vision" 1',
  'audits exit="backbone",track="stable",result="agree",model="vision" 1',
];

test.each([
  ['F1', '0.3'],
  ['Strict', '1'],
  [null, '1'],
] as const)('under %s an answer that is three tenths wrong loses %s of a row', async (of, lost) => {
  expect(await countedBy(of)).toEqual([
    ...AUDITS,
    `audit_loss_rows exit="late",track="stable",model="vision" ${lost}`,
  ]);
});
