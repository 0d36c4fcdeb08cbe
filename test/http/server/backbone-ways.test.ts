import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Resolve } from '../../../server/net/checked-addresses.ts';
import { MODEL, fetchBench, serveModel, type Asked } from '../../support/fetch-bench.ts';

const bench = fetchBench();
const { host, mount, obtain, failure } = bench;

describe('a proxy', () => {
  async function proxy(
    status: number,
  ): Promise<{ url: string; asked: string[]; close: () => void }> {
    const asked: string[] = [];
    const server = createServer();
    server.on('connect', (request: IncomingMessage, socket) => {
      asked.push(`${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`.trim());
      if (status !== 200) {
        socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
        return;
      }
      const port = Number(request.url?.split(':').at(-1));
      const onward = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      for (const end of [onward, socket]) end.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://me:pw@127.0.0.1:${port}`,
      asked,
      close: () => {
        server.close();
        server.closeAllConnections();
      },
    };
  }
  const never: Resolve = () => Promise.reject(new Error('the proxy resolves'));

  test('that is set carries https://, and TLS ends at the host', async () => {
    const server = await host(serveModel);
    const way = await proxy(200);
    const environment = { HTTPS_PROXY: way.url, NO_PROXY: 'example.com' };
    const asked = { uri: server.url('/m.onnx'), ca: server.ca, environment, resolve: never };
    expect(readFileSync(await obtain(asked))).toEqual(MODEL);
    expect(way.asked[0]).toBe(
      `models.test:${server.port} Basic ${Buffer.from('me:pw').toString('base64')}`,
    );
    const other = await host(serveModel, { name: 'other.test' });
    expect((await failureAfter({ ...asked, ca: other.ca })).message).toMatch(/is not trusted/);
    way.close();
  });

  async function failureAfter(asked: Asked) {
    rmSync(join(bench.dir(), 'cache'), { recursive: true, force: true });
    return failure(asked);
  }

  test('that refuses, or is none, is named', async () => {
    const way = await proxy(407);
    const uri = 'https://models.test/m';
    const refused = await failure({ uri, environment: { HTTPS_PROXY: way.url }, resolve: never });
    expect(refused.message).toMatch(/answers 407 for models.test:443/);
    expect(refused.message).not.toContain('pw');
    const none = await failure({ uri, environment: { HTTPS_PROXY: 'socks://x' }, resolve: never });
    expect(none.message).toMatch(/HTTPS_PROXY is not of the form/);
    way.close();
  });

  test('does not open what is refused without it', async () => {
    const way = await proxy(200);
    const environment = { HTTPS_PROXY: way.url, LAYERCACHE_ALLOWED_HOSTS: '' };
    expect((await failure({ uri: 'https://10.0.0.1/m', environment })).message).toMatch(
      /private address/,
    );
    expect(way.asked).toEqual([]);
    way.close();
  });

  test.each(['models.test', '.test', '*', 'a.org, *.test'])(
    'is not used for NO_PROXY=%s',
    async (exceptions) => {
      const server = await host(serveModel);
      const environment = { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: exceptions };
      expect(
        readFileSync(await obtain({ uri: server.url('/m.onnx'), ca: server.ca, environment })),
      ).toEqual(MODEL);
    },
  );
});

describe('a backbone in a claim', () => {
  const inClaim = (uri: string, modelDir = join(bench.dir(), 'model')) =>
    obtain({ uri, environment: { LAYERCACHE_MODEL_DIR: modelDir } });

  test('is read where it lies', async () => {
    mount('model/resnet', { 'm.onnx': 'x' });
    expect(readFileSync(await inClaim('pvc://models/resnet/m.onnx'), 'utf8')).toBe('x');
  });

  test('may be reached by a link inside the claim, never by one that leads out', async () => {
    mount('model/3', { 'm.onnx': 'x' });
    mount('outside', { secret: 's' });
    symlinkSync('3', join(bench.dir(), 'model', 'latest'));
    symlinkSync(join(bench.dir(), 'outside'), join(bench.dir(), 'model', 'out'));
    expect(readFileSync(await inClaim('pvc://models/latest/m.onnx'), 'utf8')).toBe('x');
    for (const path of ['out/secret', 'out']) {
      await expect(inClaim(`pvc://models/${path}`)).rejects.toThrow(/leads out of the claim/);
    }
  });

  test.each([
    ['model.json', 'pvc://models/net'],
    ['layercache.json', 'pvc://models/net/model.json'],
    ['layercache.json', 'pvc://models/net/m.onnx'],
    ['group1-shard1of1.bin', 'pvc://models/net'],
    ['group1-shard1of1.bin', 'pvc://models/net/model.json'],
  ])('is refused when its %s is a link that leads out: %s', async (name, uri) => {
    const weights = 'group1-shard1of1.bin';
    const manifest = JSON.stringify({
      format: 'graph-model',
      modelTopology: { node: [] },
      weightsManifest: [{ paths: [weights], weights: [] }],
    });
    const files: Record<string, string> = {
      'model.json': manifest,
      'layercache.json': '{}',
      [weights]: 'w',
      'm.onnx': 'x',
    };
    mount('model/net', files);
    expect(await inClaim(uri)).toMatch(/net/);
    mount('outside', { [name]: name === 'model.json' ? manifest : 'key' });
    const link = join(bench.dir(), 'model', 'net', name);
    rmSync(link);
    symlinkSync(join(bench.dir(), 'outside', name), link);
    await expect(inClaim(uri)).rejects.toThrow(
      `${name} of ${uri} leads out of the claim by a link; put the file itself there.`,
    );
    // A link to another folder of the claim is as good as the file.
    mount('model/blobs', { [name]: files[name] ?? '' });
    rmSync(link);
    symlinkSync(join('..', 'blobs', name), link);
    expect(await inClaim(uri)).toMatch(/net/);
  });

  test('that is not there is named', async () => {
    mount('model', {});
    await expect(inClaim('pvc://models/m.onnx')).rejects.toThrow(/models\/m.onnx is not there/);
    await expect(inClaim('pvc://models/m.onnx', join(bench.dir(), 'none'))).rejects.toThrow(
      /is not there/,
    );
    await expect(obtain({ uri: 'pvc://models/m.onnx' })).rejects.toThrow(/LAYERCACHE_MODEL_DIR/);
  });
});
