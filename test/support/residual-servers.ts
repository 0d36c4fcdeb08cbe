// Server processes of the residual net with the real engine: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, afterEach, beforeAll } from 'vitest';
import { modelFile, type ModelFile } from './onnx-models/model-file.ts';
import { residualNet } from './onnx-models/networks.ts';
import { spawnServer, type StartedServer } from './server-process.ts';

/**
 * Called once per test file. Starts a server with these variables of its own; those that run end with their test.
 * @param notes the `layercache.json` of the net
 */
export function residualServers(
  notes?: object,
): (environment?: Readonly<Record<string, string>>, program?: string) => StartedServer {
  let file: ModelFile;
  const running: StartedServer[] = [];
  beforeAll(async () => {
    file = await modelFile(residualNet(), notes);
  });
  afterAll(() => file.remove());
  afterEach(async () => {
    for (const { child, code } of running.splice(0)) {
      child.kill('SIGKILL');
      await code;
    }
  });
  return (environment = {}, program) => {
    const started = spawnServer({ LAYERCACHE_BACKBONE_URI: file.path, ...environment }, program);
    running.push(started);
    return started;
  };
}
