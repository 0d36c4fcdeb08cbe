// The guide to a model of ones own, from its first command to a certificate, on a model and rows of the names that it uses.
// `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { blockText } from '../../unit/docs/documents.ts';
import { colourModel, textureModel, textureRows } from '../local/texture-place.ts';
import { GUIDE_SHARES, GUIDE_SIDE, openGuidePlace } from './guide-place.ts';

const GUIDE = 'charts/layercache/docs/own-model.md';
const LONG_MS = 120_000;

const { shell, path: place, writeRows, reportOf } = openGuidePlace();
afterAll(() => {
  shell.close();
});

test(
  'look, write a manifest, run: from the file of a model to a certificate, with nothing to fill in',
  async () => {
    writeFileSync(place('model.onnx'), textureModel());
    writeRows('rows.npy', 3_600, 8);
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
      textureRows(4, 11, GUIDE_SHARES).pixels,
      (value) => (value - 128) / 50,
    );
    const input = {
      name: 'input',
      shape: [4, 3, GUIDE_SIDE, GUIDE_SIDE],
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
