// The bundled engine host of a process for cards, without one: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterEach, expect, test, vi } from 'vitest';
import { createEngineClient } from '../../../server/engine/client.ts';
import { HOST_SCRIPT as hostScript } from '../../support/real-engine-server.ts';

const source = {
  path: 'server/examples/fashion-mnist/backbone.onnx',
  outputName: null,
  digest: null,
};

afterEach(() => {
  vi.unstubAllEnvs();
});

test('an ONNX model is not served on processors by a server that was meant for a card', async () => {
  vi.stubEnv('LAYERCACHE_DEVICE', 'GPU');
  const client = createEngineClient({ hostScript, source, engine: 'Auto', threads: 1 });
  await expect(client.start()).rejects.toMatchObject({
    code: 'EngineUnavailable',
    message: expect.stringMatching(
      /^LAYERCACHE_DEVICE is GPU, and onnxruntime finds no card that it can use: \S.*; check pod\.resources\.limits/,
    ) as string,
  });
});

test('unless it is told to', async () => {
  vi.stubEnv('LAYERCACHE_DEVICE', 'CPU');
  const client = createEngineClient({ hostScript, source, engine: 'Auto', threads: 1 });
  try {
    expect((await client.start()).engine).toMatchObject({ kind: 'onnx', device: 'cpu' });
  } finally {
    await client.close();
  }
});
