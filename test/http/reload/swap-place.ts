// Server processes with the real engine, or with one that is made to fail: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, afterEach, beforeAll } from 'vitest';
import { faultyHost, type FaultyHost } from '../../support/faulty-engine/faulty-host.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { spawnServer, type StartedServer } from '../../support/server-process.ts';

/** Called once per test file. Starts a server; with `isFaulty`, one whose engine takes faults. It ends with its test. */
export function swapPlace(): (isFaulty?: boolean) => StartedServer {
  let file: ModelFile;
  let host: FaultyHost;
  let running: StartedServer | null = null;
  beforeAll(async () => {
    file = await modelFile(residualNet());
    host = await faultyHost();
  });
  afterAll(async () => {
    await file.remove();
    await host.remove();
  });
  afterEach(async () => {
    running?.child.kill('SIGKILL');
    await running?.code;
  });
  return (isFaulty = false) => {
    running = spawnServer(
      { LAYERCACHE_BACKBONE_URI: file.path, LAYERCACHE_ENGINE_THREADS: '2' },
      isFaulty ? host.program : undefined,
    );
    return running;
  };
}
