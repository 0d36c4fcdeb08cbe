// No process of ours reports to anyone: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createEngineClient } from '../../../server/engine/client.ts';
import { modelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { HOST_SCRIPT } from '../../support/real-engine-server.ts';

test('onnxruntime reports nothing from an engine host, whatever the environment of the server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'layercache-test-'));
  const file = await modelFile(residualNet());
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await file.remove();
    await rm(folder, { recursive: true });
  });
  vi.stubEnv('ORT_DISABLE_TELEMETRY', undefined);
  vi.stubEnv('TMPDIR', folder);
  const client = createEngineClient({
    hostScript: HOST_SCRIPT,
    source: { path: file.path, outputName: null, digest: null },
    engine: 'Auto',
    threads: 1,
  });
  await client.start();
  // Its reporter writes a log there as it starts, before anything is sent.
  expect((await readdir(folder)).filter((name) => name.startsWith('mat-debug'))).toEqual([]);
  await client.close();
});
