import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { reportSchema } from '../../../operator/local/report/report-schema.ts';
import { TfjsGraphWriter } from '../../support/tfjs-models/graph-writer.ts';
import { startCli, workplace } from './local-run.ts';

const place = workplace({ rows: 6_500 });
const model = join(place.folder, 'tfjs');
const manifest = join(place.folder, 'tfjs.yaml');

afterAll(() => {
  rmSync(place.folder, { recursive: true, force: true });
});

/** Deep enough for exits to pay: about a millisecond a row. */
function writeModel(): void {
  const graph = new TfjsGraphWriter(11);
  const straight = { kernel: 3, rectified: false };
  let value = graph.add('Tanh', [graph.conv('input', [3, 32], straight)], {}, 'stem');
  for (let index = 0; index < 7; index += 1) {
    const inner = graph.add('Tanh', [graph.conv(value, [32, 32], straight)]);
    value = graph.add('AddV2', [inner, value], {}, `block${index}`);
  }
  const { json, weights } = graph.build([16, 16, 3], { logits: graph.classifier(value, 32, 10) });
  mkdirSync(model);
  writeFileSync(join(model, 'model.json'), JSON.stringify(json));
  writeFileSync(join(model, 'group1-shard1of1.bin'), weights);
  writeFileSync(
    join(model, 'layercache.json'),
    JSON.stringify({ input: { layout: 'NHWC', mean: [128], std: [50] } }),
  );
  writeFileSync(
    manifest,
    `apiVersion: layercache.io/v1alpha1
kind: CachedModelService
metadata: {name: tiny}
spec:
  backbone: {uri: "file:tfjs", format: TFJSGraphModel}
  accuracy: {maxDisagreement: 5%}
  server: {engine: TFJSWASM}
`,
  );
}

test('a TensorFlow.js model gets a certificate and exits of its own', async () => {
  writeModel();
  const out = join(place.folder, 'out');
  const words = ['local', 'run', '-f', manifest, '--traffic', place.traffic, '--report', out];
  const run = startCli([...words, '--engine', 'TFJSWASM', '--require-certificate'], place.folder);
  const { code } = await run.ended;
  expect(code, run.stderr()).toBe(0);
  const report = reportSchema.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));
  expect(report.engine.kind).toBe('tfjs-wasm');
  expect(report.complete).toBe(true);
  expect(report.errors.count).toBe(0);
  expect(report.certificate).toMatchObject({ epsilon: 0.05, delta: 0.05 });
  expect(report.serving.requests).toBeGreaterThan(500);
  expect(report.serving.trueDisagreement?.k).toBeLessThan(0.05 * report.serving.requests);
  expect(report.serving.netMacsSavedRatio).toBeGreaterThan(0.1);
});

test('a model for another engine ends the run with the next step', async () => {
  const words = ['local', 'run', '-f', place.manifest, '--traffic', place.traffic];
  const run = startCli([...words, '--engine', 'TFJSWASM'], place.folder);
  expect((await run.ended).code).toBe(1);
  expect(run.stderr()).toMatch(
    /engine TFJSWASM reads TensorFlow\.js models \(model\.json\), and the model is .*model\.onnx; name one of Auto, ONNX/,
  );
});
