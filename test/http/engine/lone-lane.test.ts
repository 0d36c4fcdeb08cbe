// What is alone in the server gets all cores: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createEngineClient } from '../../../server/engine/client.ts';
import type { BatchRequest } from '../../../server/engine/engine-client.ts';
import { eventually } from '../../support/eventually.ts';
import { Fault } from '../../support/faulty-engine/faults.ts';
import { faultyHost, type FaultyHost } from '../../support/faulty-engine/faulty-host.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { denseNet } from '../../support/onnx-models/networks.ts';

type Client = ReturnType<typeof createEngineClient>;

const INPUT = 4;
let file: ModelFile;
let host: FaultyHost;
let client: Client;

beforeAll(async () => {
  file = await modelFile(denseNet());
  host = await faultyHost();
});
afterEach(async () => {
  await client.close();
});
afterAll(async () => {
  await file.remove();
  await host.remove();
});

/** Passes of one thread of this host are slow, so two threads are always worth their while. */
async function start(loneThreads: number): Promise<number> {
  const source = { path: file.path, outputName: null, digest: null };
  const { hostScript } = host;
  client = createEngineClient({ hostScript, source, engine: 'Auto', threads: 2, loneThreads });
  await client.start();
  return (await client.prepare({ tracks: [], samples: [] })).planId;
}

async function answer(planId: number, isAlone: boolean, first = 0.5): Promise<readonly number[]> {
  const row = Float32Array.from({ length: INPUT }, (_, i) => (i === 0 ? first : i));
  const batch: BatchRequest = {
    planId,
    rows: 1,
    datatype: 'FP32',
    input: [new Uint8Array(row.buffer)],
    flags: Uint8Array.of(0),
    isAlone,
  };
  const found: number[] = [];
  await client.run(batch, (answers) => {
    for (const { outputs } of answers) found.push(...(outputs[0] ?? []));
  });
  return found;
}

describe('a batch that is alone', () => {
  test('runs on a worker of its own, and no other batch does', async () => {
    const planId = await start(2);
    const expected = await answer(planId, false);
    expect(expected.every(Number.isFinite)).toBe(true);
    expect(await answer(planId, true)).toEqual(expected);
    // From now on that worker answers what is no number.
    await answer(planId, true, Fault.spoil);
    expect(await answer(planId, true)).toSatisfy((values: number[]) => values.every(Number.isNaN));
    const others = await Promise.all([0, 1, 2, 3].map(() => answer(planId, false)));
    expect(others).toEqual([expected, expected, expected, expected]);
  });

  test('leaves nothing of its plans and activations behind', async () => {
    const planId = await start(2);
    await answer(planId, true);
    await client.release(planId);
    await eventually(() => {
      const { rssBytes, activations, plans } = client.memory();
      // Each of three workers keeps the whole backbone.
      expect([rssBytes > 0, activations, plans]).toEqual([true, 0, 3]);
    });
  });

  test('is found out when its worker no longer gives the known answer', async () => {
    const planId = await start(2);
    expect(await client.checkBackbone()).toBe(true);
    await answer(planId, true, Fault.spoil);
    expect(await client.checkBackbone()).toBe(false);
  });

  test('runs as any other where passes have one thread', async () => {
    const planId = await start(1);
    expect(await answer(planId, true)).toEqual(await answer(planId, false));
    await eventually(() => {
      expect(client.memory().plans).toBe(4);
    });
  });
});
