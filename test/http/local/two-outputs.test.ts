// The command line on a backbone of which nobody said what its class output is.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ambiguousNet } from '../../support/onnx-models/networks.ts';
import { npy, startCli, workplace } from './local-run.ts';

const WHY =
  'The backbone has several class outputs (digits, letters) and none is named: it answers everything itself; ' +
  'for exits, name one in spec.backbone.outputName or as "output" in layercache.json.';

function aPlace(): ReturnType<typeof workplace> {
  const place = workplace({ rows: 1 });
  writeFileSync(join(place.folder, 'model.onnx'), ambiguousNet().bytes);
  writeFileSync(join(place.folder, 'rows.npy'), npy([16, 3, 8, 8], Buffer.alloc(16 * 192)));
  onTestFinished(() => {
    rmSync(place.folder, { recursive: true, force: true });
  });
  return place;
}

test('inspect shows both outputs and says what exits lack', async () => {
  const { folder } = aPlace();
  const run = startCli(['inspect', join(folder, 'model.onnx')], folder);
  expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
  expect(run.stdout()).toContain('outputs  digits FP32 [?, 10], letters FP32 [?, 10]\n');
  expect(run.stdout()).toContain('classes  none\n');
  expect(run.stdout()).toContain(`\n${WHY}\n`);
});

test('a local run ends with the sentence, for there is nothing to certify', async () => {
  const { folder, manifest, traffic } = aPlace();
  const run = startCli(['local', 'run', '-f', manifest, '--traffic', traffic], folder);
  expect(await run.ended, run.stderr()).toMatchObject({ code: 2 });
  expect(run.stderr()).toContain(
    `${WHY} \`layercache inspect MODEL\` lists its outputs; ways out: charts/layercache/docs/own-model.md. [NoClass`,
  );
});
