// A local run with a student, from the manifest to the report: inputs are held, a student is made of them, certified and ramped.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { reportSchema } from '../../../operator/local/report/report-schema.ts';
import { startCli } from './local-run.ts';
import { texturePlace } from './texture-place.ts';

test('a student made of traffic is certified, answers before the backbone, and the report shows what it saves', async () => {
  const place = texturePlace({ head: 3_000, first: 5_000, fresh: 0 });
  const { folder, traffic, headTraffic } = place;
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const manifest = readFileSync(place.manifest, 'utf8');
  writeFileSync(
    place.manifest,
    manifest.replace(/ {2}exits: .*/, '$&\n  heads: {training: {student: Auto}}'),
  );
  const flags = ['--require-certificate', '--report', join(folder, 'out')];
  const rows = ['--traffic', traffic, '--head-traffic', headTraffic];
  const run = startCli(['local', 'run', '-f', place.manifest, ...rows, ...flags], folder);
  expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
  const report = reportSchema.parse(
    JSON.parse(readFileSync(join(folder, 'out', 'report.json'), 'utf8')),
  );
  expect(report.errors.count).toBe(0);
  expect(report.certificate).not.toBeNull();
  expect(report.serving.exitShare.student).toBeGreaterThan(0.4);
  expect(report.serving.netMacsSavedRatio).toBeGreaterThan(0.3);
  expect(report.serving.trueDisagreement!.k).toBeLessThan(0.05 * report.serving.requests);
});
