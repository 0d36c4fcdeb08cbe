// A local run with a small model before the backbone, from the manifest to the report.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { reportSchema } from '../../../operator/local/report/report-schema.ts';
import { startCli } from './local-run.ts';
import { colourModel, texturePlace, type TexturePlace } from './texture-place.ts';

function aPlace(spec: string, rows: number): TexturePlace {
  const place = texturePlace({ head: 1, first: rows, fresh: 0 });
  writeFileSync(join(place.folder, 'colours.onnx'), colourModel());
  const manifest = readFileSync(place.manifest, 'utf8');
  writeFileSync(place.manifest, manifest.replace(/ {2}exits: .*/, `  exits: ${spec}`));
  onTestFinished(() => {
    rmSync(place.folder, { recursive: true, force: true });
  });
  return place;
}

test('a companion is certified, answers before the backbone, and the report shows what it saves', async () => {
  const { folder, manifest, traffic } = aPlace(
    '[{name: colours, model: {uri: "file:colours.onnx"}}]',
    5_000,
  );
  const flags = ['--require-certificate', '--report', join(folder, 'out')];
  const run = startCli(['local', 'run', '-f', manifest, '--traffic', traffic, ...flags], folder);
  expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
  const report = reportSchema.parse(
    JSON.parse(readFileSync(join(folder, 'out', 'report.json'), 'utf8')),
  );
  expect(report.errors.count).toBe(0);
  const [exit] = report.exits;
  expect(exit).toMatchObject({ name: 'colours', tensor: null });
  expect(exit!.macsShare).toBeLessThan(0.01);
  expect(exit!.head?.macs).toBeGreaterThan(0);
  expect(report.certificate).not.toBeNull();
  expect(report.serving.exitShare.colours).toBeGreaterThan(0.4);
  expect(report.serving.netMacsSavedRatio).toBeGreaterThan(0.3);
  expect(report.serving.trueDisagreement!.k).toBeLessThan(0.05 * report.serving.requests);
  expect(readFileSync(join(folder, 'out', 'report.html'), 'utf8')).toContain('a model of its own');
});

test('one of other classes ends the run with what is wrong', async () => {
  const { folder, manifest, traffic } = aPlace(
    '[{name: colours, model: {uri: "file:colours.onnx"}}]',
    16,
  );
  writeFileSync(join(folder, 'colours.onnx'), colourModel(4));
  const run = startCli(['local', 'run', '-f', manifest, '--traffic', traffic], folder);
  expect(await run.ended, run.stderr()).toMatchObject({ code: 2 });
  expect(run.stderr()).toContain(
    "exit colours: exits[colours].model has 4 classes at logits, the backbone 11: name a model of the backbone's own classes.",
  );
  expect(run.stderr()).toContain('[CompanionLoadFailed]');
});
