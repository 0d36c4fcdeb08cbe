// The guide to a model of ones own, from its first command to a certificate, and its other ways: a companion, rows of the training
// set, own requests, pictures, TensorFlow.js. On a model and rows of the names that it uses.
// `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { residualNet } from '../../support/tfjs-models/networks.ts';
import { blockText } from '../../unit/docs/documents.ts';
import {
  colourModel,
  FIRST_SHARES,
  SIDE,
  textureModel,
  textureRows,
} from '../local/texture-place.ts';
import { openGuidePlace } from './guide-place.ts';

const GUIDE = 'charts/layercache/docs/own-model.md';
const LONG_MS = 310_000;

const { shell, path: place, writeRows, reportOf } = openGuidePlace();
beforeAll(async () => {
  writeFileSync(place('model.onnx'), textureModel());
  await shell.run('npx layercache init --model model.onnx > service.yaml');
}, LONG_MS);
afterAll(() => {
  shell.close();
});

test(
  'look, write a manifest, run: from the file of a model to a certificate, with nothing to fill in',
  async () => {
    writeRows('rows.npy', 5_000, 8);
    const said = await shell.block(`${GUIDE}#look-write-a-manifest-run`);
    expect(said).toMatch(/^cut +macs +time/m);
    expect(said).toMatch(/^stem /m);
    expect(said).toContain('model is valid');
    expect(readFileSync(place('service.yaml'), 'utf8')).toContain('tensor: "stem"');
    const report = reportOf(said);
    expect(report.certificate?.epsilon).toBe(0.01);
    expect(report.serving.netMacsSavedRatio).toBeGreaterThan(0.2);
  },
  LONG_MS,
);

test(
  'a companion is certified before the backbone',
  async () => {
    writeFileSync(place('with-companion.yaml'), blockText(`${GUIDE}#a-companion`));
    writeFileSync(place('small.onnx'), colourModel());
    const report = reportOf(await shell.block(`${GUIDE}#a-companion/2`));
    expect(report.certificate).not.toBeNull();
    expect(report.serving.netMacsSavedRatio).toBeGreaterThan(0.2);
  },
  LONG_MS,
);

test(
  'requests of ones own are answered, and the run ends with its time',
  async () => {
    const values = Array.from(
      textureRows(4, 11, FIRST_SHARES).pixels,
      (value) => (value - 128) / 50,
    );
    const input = {
      name: 'input',
      shape: [4, 3, SIDE, SIDE],
      datatype: 'FP32',
      data: values,
    };
    writeFileSync(place('request.json'), JSON.stringify({ inputs: [input] }));
    const said = await shell.block(`${GUIDE}#rows/4`);
    expect(said).toMatch(/"outputs":\[\{"name":"logits".*"shape":\[4,11\]/);
    expect(reportOf(said)).toMatchObject({ complete: true, run: { requests: 4 } });
  },
  LONG_MS,
);

test(
  'rows of the training set train heads, and all others follow',
  async () => {
    writeRows('training.npy', 2_000, 9);
    writeRows('rows.npy', 400, 10);
    const report = reportOf(await shell.block(`${GUIDE}#rows/5`));
    expect(report).toMatchObject({ complete: true, run: { requests: 2_400 } });
  },
  LONG_MS,
);

test(
  'pictures become the input as layercache.json says',
  async () => {
    const { image, ...input } = (
      JSON.parse(blockText(`${GUIDE}#rows/2`)) as {
        readonly input: Readonly<Record<string, unknown>>;
      }
    ).input;
    expect(image).toEqual({ width: 32, height: 32 });
    const notes = { input: { ...input, image: { width: SIDE, height: SIDE } } };
    writeFileSync(place('layercache.json'), JSON.stringify(notes));
    const count = 2_100;
    const { pixels } = textureRows(count, 12, FIRST_SHARES);
    mkdirSync(place('pictures'));
    for (let row = 0; row < count; row++) {
      const raw = { width: SIDE, height: SIDE, channels: 3 as const };
      await sharp(pixels.subarray(row * SIDE * SIDE * 3, (row + 1) * SIDE * SIDE * 3), { raw })
        .png()
        .toFile(place(`pictures/${row}.png`));
    }
    const report = reportOf(await shell.block(`${GUIDE}#rows/3`));
    expect(report).toMatchObject({ complete: true, run: { requests: count } });
  },
  LONG_MS,
);

test(
  'a model of TensorFlow.js goes the same way by its folder',
  async () => {
    const { json, weights } = residualNet();
    mkdirSync(place('web_model'));
    const [group] = json.weightsManifest;
    const whole = { ...json, weightsManifest: [{ ...group, paths: ['group1-shard1of1.bin'] }] };
    writeFileSync(place('web_model/model.json'), JSON.stringify(whole));
    writeFileSync(place('web_model/group1-shard1of1.bin'), weights);
    writeRows('rows.npy', 2_100, 13);
    const said = await shell.block(`${GUIDE}#tensorflowjs`);
    expect(said).toMatch(/format +TFJSGraphModel/);
    expect(reportOf(said)).toMatchObject({ complete: true, run: { requests: 2_100 } });
  },
  LONG_MS,
);
