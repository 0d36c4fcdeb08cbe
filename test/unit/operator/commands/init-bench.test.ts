import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { checkManifests } from '../../../../crds/schema/check-manifests.ts';
import { prepareBodies } from '../../../../operator/commands/bench/bench-body.ts';
import { openEndpoint } from '../../../../operator/commands/bench/endpoint.ts';
import { renderBench } from '../../../../operator/commands/bench/render-bench.ts';
import { runBench } from '../../../../operator/commands/bench/run-bench.ts';
import { manifestText } from '../../../../operator/commands/init/manifest-text.ts';
import { modelNameOf } from '../../../../operator/commands/init/model-name.ts';
import { systemClock } from '../../../../operator/clock.ts';
import { aState } from '../../crds/documents.ts';

test.each([
  ['model.onnx', 'model'],
  ['./nets/ResNet_18 (v2).onnx', 'resnet-18-v2'],
  ['nets/mobile/model.json', 'mobile'],
  ['3d.onnx', 'd'],
  ['/', 'model'],
])('%s gives a service named %s', (path, name) => {
  expect(modelNameOf(path)).toBe(name);
});

describe('a manifest to start from', () => {
  const facts = { name: 'resnet', uri: 'file:resnet.onnx', maxDisagreement: '1%' };

  test('names the exits that training will choose from, and is valid', async () => {
    const text = manifestText({ ...facts, state: aState() });
    await expect(text).toMatchFileSnapshot('../../../golden/commands/init.yaml');
    expect(checkManifests(text, 'x').problems).toEqual([]);
  });

  test('of a model that cannot be cut says which operator stops it, and is valid', async () => {
    const rejectedCuts = [{ tensor: 'lstm_out', reason: 'the state of LSTM lstm1 goes past it' }];
    const text = manifestText({ ...facts, state: { ...aState(), cuts: [], rejectedCuts } });
    await expect(text).toMatchFileSnapshot('../../../golden/commands/init-uncut.yaml');
    expect(checkManifests(text, 'x').problems).toEqual([]);
  });
});

describe('bench', () => {
  async function aServer(): Promise<{ server: Server; url: string; modes: string[] }> {
    const modes: string[] = [];
    const server = createServer((request, response) => {
      const path = request.url ?? '';
      request.resume();
      request.on('end', () => {
        if (path === '/v1/models') {
          response.end(JSON.stringify({ models: ['m'] }));
          return;
        }
        if (path === '/v2/models/m') {
          response.end(
            JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2, 3] }] }),
          );
          return;
        }
        const mode = request.headers['layercache-mode'] === 'backbone' ? 'backbone' : 'auto';
        modes.push(mode);
        response.setHeader('layercache-exit', mode === 'auto' ? 'early' : 'backbone');
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, modes };
  }

  test('asks the endpoint for its model, makes rows of its shape and sends both kinds in turn', async () => {
    const { server, url, modes } = await aServer();
    const endpoint = openEndpoint(url);
    try {
      const { model, bodies, isNoise } = await prepareBodies(endpoint, {
        model: null,
        body: null,
        seed: 1,
      });
      expect({ model, isNoise, count: bodies.length }).toEqual({
        model: 'm',
        isNoise: true,
        count: 16,
      });
      const body = JSON.parse(bodies[0]!.toString()) as {
        inputs: { shape: number[]; data: number[] }[];
      };
      expect(body.inputs[0]!.shape).toEqual([1, 2, 3]);
      expect(body.inputs[0]!.data).toHaveLength(6);
      const result = await runBench({
        ratePerSecond: 200,
        durationMs: 100,
        clock: systemClock,
        interrupt: new AbortController().signal,
        send: (index, mode) =>
          endpoint.post(
            '/v2/models/m/infer',
            bodies[index % 16]!,
            mode === 'auto' ? {} : { 'layercache-mode': 'backbone' },
          ),
      });
      expect(result).toMatchObject({ sent: 20, exits: { early: 10 }, statuses: { '200': 20 } });
      expect(result.auto).toMatchObject({ requests: 10, failed: 0 });
      expect(result.meanRatio).toBeGreaterThan(0);
      expect(modes.filter((mode) => mode === 'backbone')).toHaveLength(10);
    } finally {
      endpoint.close();
      server.close();
    }
  });

  test('a timer that fires before a request is due takes nothing off its latency', async () => {
    let nowMs = 0;
    const result = await runBench({
      ratePerSecond: 100,
      durationMs: 40,
      clock: { ...systemClock, monotonicMs: () => nowMs },
      interrupt: new AbortController().signal,
      send: () => {
        nowMs += 1;
        return Promise.resolve({ status: 200, exit: null, text: '' });
      },
    });
    expect(result).toMatchObject({ auto: { meanMs: 1 }, backbone: { meanMs: 1 }, meanRatio: 1 });
  });

  test('of an endpoint that does not answer says so in one sentence', async () => {
    const endpoint = openEndpoint('http://127.0.0.1:1');
    await expect(prepareBodies(endpoint, { model: null, body: null, seed: 1 })).rejects.toThrow(
      /\[EndpointUnusable\]$/,
    );
    endpoint.close();
    expect(() => openEndpoint('127.0.0.1:80')).toThrow(
      'Write for example --url http://127.0.0.1:8080.',
    );
  });

  test('prints both sides, who answered, and what is wrong with the figures', async () => {
    const side = { requests: 500, failed: 0, meanMs: 4.2, p50Ms: 3.9, p99Ms: 9.14 };
    const { table } = renderBench({
      url: 'http://127.0.0.1:8080',
      model: 'resnet',
      isNoise: true,
      ratePerSecond: 100,
      result: {
        ...{ seconds: 10.02, sent: 1_000, answeredPerSecond: 99.6, latestMs: 61, meanRatio: 0.7 },
        auto: { ...side, failed: 2, meanMs: 2.94, p50Ms: 2.1 },
        backbone: side,
        exits: { early: 310, backbone: 188 },
        statuses: { '200': 998, '503': 2 },
        firstFailure: '{"error":"The queue is full."}',
      },
    });
    await expect(`${table(false).join('\n')}\n`).toMatchFileSnapshot(
      '../../../golden/commands/bench.txt',
    );
  });
});
