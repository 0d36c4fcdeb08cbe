// Known limits in real runs: on the terminal, on the page while the run goes on, and in the report. `npm run build` (or
// operator/bundle/bundle.mjs) comes first. All six, on all three, from their figures: test/browser/notices.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { uncuttableNet } from '../../support/onnx-models/networks.ts';
import { expectLimits } from './expect-limits.ts';
import { npy, workplace } from './local-run.ts';
import { texturePlace } from './texture-place.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('a person who follows a run is told', () => {
  test('of a backbone that cannot be cut, and of a stream that loops', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'layercache-limits-'));
    writeFileSync(join(folder, 'model.onnx'), uncuttableNet().bytes);
    const rows = 64;
    const pixels = Uint8Array.from({ length: rows * 192 }, (_, i) => (i * 37 + (i >> 5)) % 251);
    writeFileSync(join(folder, 'rows.npy'), npy([rows, 8, 8, 3], pixels));
    const manifest = join(folder, 'service.yaml');
    writeFileSync(
      manifest,
      `apiVersion: layercache.io/v1alpha1
kind: CachedModelService
metadata: {name: uncut}
spec:
  backbone: {uri: "file:model.onnx"}
  accuracy: {maxDisagreement: 5%}
`,
    );
    folders.push(folder);
    const place = { folder, manifest, traffic: `npy:${join(folder, 'rows.npy')}` };
    await expectLimits(place, ['--loop', '--rate', '100'], {
      NoExits: 'The backbone cannot be cut: none of its tensors can hold an exit',
      StreamRepeats: 'The stream repeats since request 65:',
    });
  }, 120_000);

  test('of too little traffic', async () => {
    const place = texturePlace({ head: 600, first: 900, fresh: 0 });
    folders.push(place.folder);
    await expectLimits(place, ['--head-traffic', place.headTraffic, '--rate', '50'], {
      InsufficientSamples: 'The stream has 900 rows that may be evidence, and the first look takes',
    });
  }, 120_000);

  test('of exits that do not pay', async () => {
    const more = '  exits: [{name: late, tensor: block5}]\n  tuning: {minSaving: 50%}\n';
    const place = workplace({ rows: 12_000, more });
    folders.push(place.folder);
    const limits = { NotWorthwhile: 'less than minSaving 50.0 %' };
    await expectLimits(place, [], limits);
  }, 120_000);
});
