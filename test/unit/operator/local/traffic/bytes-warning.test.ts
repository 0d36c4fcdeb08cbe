import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { RunOptions } from '../../../../../operator/local/run-options.ts';
import { openRunTraffic } from '../../../../../operator/local/traffic/open-run-traffic.ts';
import { npyFile } from './files.ts';

async function warningsOf(descr: string, notes: object | null): Promise<readonly string[]> {
  const rows = npyFile({ descr, shape: [2, 4] }, Buffer.alloc(32));
  const folder = dirname(rows);
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  if (notes !== null) writeFileSync(join(folder, 'layercache.json'), JSON.stringify(notes));
  const warnings: string[] = [];
  const { traffic } = await openRunTraffic(
    { traffic: `npy:${rows}`, headTraffic: null, labels: null } as RunOptions,
    {
      path: join(folder, 'model.onnx'),
      state: () => Promise.resolve(null),
      onWarning: (message) => warnings.push(message.replaceAll(folder, 'FOLDER')),
    },
  );
  traffic?.close();
  return warnings;
}

test('bytes that nothing scales are told to go in as they are', async () => {
  for (const notes of [null, { input: { layout: 'NCHW' } }]) {
    expect(await warningsOf('|u1', notes)).toEqual([
      '--traffic npy:FOLDER/rows.npy: its bytes go into the model as 0 to 255, since no layercache.json beside it names a scale. ' +
        'For 0 to 1 write {"input": {"scale": 0.00392156862745098}} there; "scale": 1 says that 0 to 255 is right.',
    ]);
  }
});

test.each([{ scale: 1 }, { mean: [128] }, { std: [50] }])(
  'bytes that are scaled on purpose, %j, are not told',
  async (input) => {
    expect(await warningsOf('|u1', { input })).toEqual([]);
  },
);

test('rows of floats are ready, whatever there is', async () => {
  expect(await warningsOf('<f4', null)).toEqual([]);
});
