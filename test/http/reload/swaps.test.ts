// Server processes with the real engine: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Fault } from '../../support/faulty-engine/faults.ts';
import { faultyHost, type FaultyHost } from '../../support/faulty-engine/faulty-host.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { spawnServer, type StartedServer } from '../../support/server-process.ts';
import { runSwaps } from '../../support/swap-run.ts';

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

function start(program?: string): StartedServer {
  running = spawnServer(
    { LAYERCACHE_BACKBONE_URI: file.path, LAYERCACHE_ENGINE_THREADS: '2' },
    program,
  );
  return running;
}

test('300 swaps of heads under load fail no request, mix no answers, and leave nothing behind', async () => {
  const run = await runSwaps(start(), { swaps: 300 });
  expect(run.failures).toEqual([]);
  expect(run.refusals).toEqual([]);
  expect(run.requests).toBeGreaterThan(300);
  expect(run.before.activations).toBe(0);
  expect(run.before.plans).toBeGreaterThan(0);
  expect(run.after).toEqual(run.before);
});

test.each([
  ['plans', Fault.keepPlans],
  ['activations', Fault.keepActivations],
] as const)('the same check catches an engine that keeps %s nobody needs', async (what, fault) => {
  const run = await runSwaps(start(host.program), { swaps: 20, fault });
  expect(run.failures).toEqual([]);
  expect(run.after[what]).toBeGreaterThan(run.before[what]);
});
