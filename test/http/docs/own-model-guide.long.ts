// The other ways of the guide to a model of ones own: rows of the training set, pictures, TensorFlow.js.
// `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { mkdirSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { residualNet } from '../../support/tfjs-models/networks.ts';
import { blockText } from '../../unit/docs/documents.ts';
import { textureModel, textureRows } from '../local/texture-place.ts';
import { GUIDE_SHARES, GUIDE_SIDE, openGuidePlace } from './guide-place.ts';

const GUIDE = 'charts/layercache/docs/own-model.md';
const LONG_MS = 120_000;

const { shell, path: place, writeRows, reportOf } = openGuidePlace();
writeFileSync(place('model.onnx'), textureModel());
afterAll(() => {
  shell.close();
});

test(
  'rows of the training set train heads, and all others follow',
  async () => {
    await shell.run('npx layercache init --model model.onnx > service.yaml');
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
    const notes = { input: { ...input, image: { width: GUIDE_SIDE, height: GUIDE_SIDE } } };
    writeFileSync(place('layercache.json'), JSON.stringify(notes));
    await shell.run('npx layercache init --model model.onnx > service.yaml');
    const count = 2_100;
    const { pixels } = textureRows(count, 12, GUIDE_SHARES);
    mkdirSync(place('pictures'));
    for (let row = 0; row < count; row++) {
      const raw = { width: GUIDE_SIDE, height: GUIDE_SIDE, channels: 3 as const };
      await sharp(
        pixels.subarray(row * GUIDE_SIDE * GUIDE_SIDE * 3, (row + 1) * GUIDE_SIDE * GUIDE_SIDE * 3),
        { raw },
      )
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
