// A local run with drills, from its folder to its report.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { reportSchema, type Report } from '../../../operator/local/report/report-schema.ts';
import { eventually } from '../../support/eventually.ts';
import { processesOf, startCli, workplace, type CliRun, type Workplace } from './local-run.ts';

const places: Workplace[] = [];

afterAll(() => {
  for (const { folder } of places) rmSync(folder, { recursive: true, force: true });
});

/** Removed after the tests of the file. */
export function aPlace(rows: number, more = ''): Workplace {
  const place = workplace({ rows, more });
  places.push(place);
  return place;
}

export function run({ folder, manifest, traffic }: Workplace, ...flags: string[]): CliRun {
  const words = ['local', 'run', '-f', manifest, '--traffic', traffic, '--report', 'out'];
  return startCli([...words, '--no-dashboard', ...flags], folder);
}

/** Its report, once it ended with this code and left no process. */
export async function finished(
  { folder }: Workplace,
  started: CliRun,
  code: number,
): Promise<Report> {
  const ended = await started.ended;
  expect(ended.code, started.stderr()).toBe(code);
  await eventually(() => {
    expect(processesOf(folder)).toEqual([]);
  }, 5_000);
  return reportSchema.parse(JSON.parse(readFileSync(join(folder, 'out', 'report.json'), 'utf8')));
}

export function drillOf(report: Report, kind: Report['drills'][number]['kind']) {
  const drill = report.drills.find((one) => one.kind === kind);
  if (drill === undefined) throw new Error(`no ${kind} in ${JSON.stringify(report.drills)}`);
  return drill;
}
