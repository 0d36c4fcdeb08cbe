// "Your own model" of the README: its manifest, then its commands, on a model and rows of those names.
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openShell } from '../../cluster/docs/shell.ts';
import { blockText } from '../../unit/docs/documents.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { workplace } from '../local/local-run.ts';

const README = 'README.md';
const ROWS = 2_200;
const place = workplace({ rows: ROWS });
const shell = openShell();
afterAll(() => {
  shell.close();
  rmSync(place.folder, { recursive: true });
});

test('the manifest and the commands of the README run on a model of ones own, to a report', async () => {
  writeFileSync(join(shell.folder, 'resnet.yaml'), blockText(`${README}#your-own-model`));
  writeFileSync(join(shell.folder, 'resnet.onnx'), residualNet().bytes);
  copyFileSync(join(place.folder, 'rows.npy'), join(shell.folder, 'images.npy'));
  const said = await shell.block(`${README}#your-own-model/3`);
  expect(said).toMatch(/block1.*%/);
  const [folder = ''] = /layercache-report\/\S+(?=\/report\.json)/.exec(said) ?? [];
  const report = JSON.parse(readFileSync(join(shell.folder, folder, 'report.json'), 'utf8')) as {
    readonly complete: boolean;
    readonly run: { readonly requests: number };
  };
  expect(report).toMatchObject({ complete: true, run: { requests: ROWS } });
});
