// Drills that need a certificate first, in real processes on a small model. `npm run test:long` builds first.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { reportSchema, type Report } from '../../../operator/local/report/report-schema.ts';
import { eventually } from '../../support/eventually.ts';
import { processesOf, startCli, workplace, type CliRun, type Workplace } from './local-run.ts';

const places: Workplace[] = [];

afterAll(() => {
  for (const { folder } of places) rmSync(folder, { recursive: true, force: true });
});

function aPlace(rows: number): Workplace {
  const place = workplace({ rows });
  places.push(place);
  return place;
}

function run({ folder, manifest, traffic }: Workplace, ...flags: string[]): CliRun {
  const words = ['local', 'run', '-f', manifest, '--traffic', traffic, '--report', 'out'];
  return startCli([...words, '--no-dashboard', ...flags], folder);
}

async function finished({ folder }: Workplace, started: CliRun, code: number): Promise<Report> {
  const ended = await started.ended;
  expect(ended.code, started.stderr()).toBe(code);
  await eventually(() => {
    expect(processesOf(folder)).toEqual([]);
  }, 5_000);
  return reportSchema.parse(JSON.parse(readFileSync(join(folder, 'out', 'report.json'), 'utf8')));
}

function drillOf(report: Report, kind: Report['drills'][number]['kind']) {
  const drill = report.drills.find((one) => one.kind === kind);
  if (drill === undefined) throw new Error(`no ${kind} in ${JSON.stringify(report.drills)}`);
  return drill;
}

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
