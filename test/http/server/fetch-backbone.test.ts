import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Resolve } from '../../../server/net/checked-addresses.ts';
import { DIGEST, MODEL, fetchBench, serveModel } from '../../support/fetch-bench.ts';

const bench = fetchBench();
const { host, mount, obtain, failure } = bench;

describe('a backbone over https://', () => {
  test('lies in the cache under its digest, with the notes beside it', async () => {
    const server = await host((request, response) => {
      if (request.url === '/a/layercache.json') response.end('{"labels":["x"]}');
      else response.end(MODEL);
    });
    const path = await obtain({ uri: server.url('/a/m?sig=s3cr3t'), ca: server.ca });
    expect(path).toBe(join(bench.dir(), 'cache', 'backbones', DIGEST.slice(7), 'model.onnx'));
    expect(readFileSync(path)).toEqual(MODEL);
    expect(readFileSync(join(dirname(path), 'layercache.json'), 'utf8')).toBe('{"labels":["x"]}');
    expect(server.asked).toEqual(['GET /a/m?sig=s3cr3t', 'GET /a/layercache.json']);
  });

  test('with a digest is fetched once for all starts of a container, and anew when its file was damaged', async () => {
    const server = await host(serveModel);
    const asked = {
      uri: server.url('/m.onnx'),
      ca: server.ca,
      environment: { LAYERCACHE_BACKBONE_DIGEST: DIGEST },
    };
    const path = await obtain(asked);
    expect(await obtain(asked)).toBe(path);
    expect(server.asked).toHaveLength(2);
    writeFileSync(path, 'damaged');
    expect(readFileSync(await obtain(asked))).toEqual(MODEL);
    expect(server.asked).toHaveLength(4);
  });

  test('without a digest is fetched at every start, and the earlier file makes room', async () => {
    let body = MODEL;
    const server = await host((request, response) => {
      if (request.url === '/m.onnx') response.end(body);
      else response.writeHead(403).end();
    });
    const first = await obtain({ uri: server.url('/m.onnx'), ca: server.ca });
    body = Buffer.from('another');
    const second = await obtain({ uri: server.url('/m.onnx'), ca: server.ca });
    expect(readFileSync(second, 'utf8')).toBe('another');
    expect(existsSync(first)).toBe(false);
  });

  test('with another digest is refused before anything reads it', async () => {
    const server = await host(serveModel);
    const told = await failure({
      uri: server.url('/m.onnx'),
      ca: server.ca,
      environment: { LAYERCACHE_BACKBONE_DIGEST: `sha256:${'0'.repeat(64)}` },
    });
    expect(told.code).toBe('BackboneDigestMismatch');
    expect(told.message).toContain(DIGEST);
  });

  test('needs the CA of its host', async () => {
    const server = await host(serveModel);
    const told = await failure({ uri: server.url('/m.onnx') });
    expect(told.code).toBe('BackboneFetchFailed');
    expect(told.message).toMatch(/caBundleConfigMapName.*SELF_SIGNED/);
    const other = await host(serveModel, { name: 'other.test' });
    expect((await failure({ uri: server.url('/m.onnx'), ca: other.ca })).message).toMatch(
      /caBundleConfigMapName/,
    );
  });

  test('whose CA bundle holds nothing is told so', async () => {
    for (const ca of ['', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
      const told = await failure({ uri: 'https://models.test/m.onnx', ca });
      expect(told.message).toMatch(/caBundleConfigMapName holds no readable PEM/);
    }
  });
});

describe('a backbone over http://', () => {
  test('needs a digest', async () => {
    const server = await host(serveModel, { secure: false });
    expect((await failure({ uri: server.url('/m.onnx') })).message).toMatch(
      /needs backbone.digest/,
    );
    expect(server.asked).toEqual([]);
  });

  test('brings the model alone: a digest does not cover its notes', async () => {
    const server = await host(serveModel, { secure: false });
    await obtain({
      uri: server.url('/m.onnx'),
      environment: { LAYERCACHE_BACKBONE_DIGEST: DIGEST },
    });
    expect(server.asked).toEqual(['GET /m.onnx']);
  });
});

describe('credentials', () => {
  const withSecret = (files: Readonly<Record<string, string>>) => ({
    LAYERCACHE_CREDENTIALS_DIR: mount('credentials', files),
  });

  test.each([
    [{ token: 's3cr3t\n' }, 'Bearer s3cr3t'],
    [
      { username: 'me', password: 's3cr3t' },
      `Basic ${Buffer.from('me:s3cr3t').toString('base64')}`,
    ],
    [{ token: 't', username: 'me', password: 'x' }, 'Bearer t'],
  ])('of %o are sent', async (files, authorization) => {
    const server = await host(serveModel);
    await obtain({ uri: server.url('/m.onnx'), ca: server.ca, environment: withSecret(files) });
    expect(server.asked[0]).toBe(`GET /m.onnx ${authorization}`);
  });

  test('never go to another origin, wherever the host sends us', async () => {
    const other = await host(serveModel, { name: 'other.test' });
    const server = await host((request, response) => {
      if (request.url === '/m.onnx')
        response.writeHead(302, { location: other.url('/m.onnx') }).end();
      else response.writeHead(404).end();
    });
    const ca = `${server.ca}${other.ca}`;
    await obtain({ uri: server.url('/m.onnx'), ca, environment: withSecret({ token: 's3cr3t' }) });
    expect(server.asked[0]).toBe('GET /m.onnx Bearer s3cr3t');
    expect(other.asked).toEqual(['GET /m.onnx']);
  });

  test('that are missing are named, without asking the host', async () => {
    const server = await host(serveModel);
    for (const files of [{}, { other: 'x' }, { '..data': 'x' }]) {
      rmSync(join(bench.dir(), 'credentials'), { recursive: true, force: true });
      const environment = withSecret(files);
      const told = await failure({ uri: server.url('/m.onnx'), ca: server.ca, environment });
      expect(told.code).toBe('BackboneFetchFailed');
      expect(told.message).toMatch(/Secret of backbone.credentialsSecretName does not exist/);
    }
    expect(server.asked).toEqual([]);
  });

  test('and signatures never stand in a message', async () => {
    const server = await host((_, response) => response.writeHead(403).end());
    const asked = {
      uri: server.url('/m.onnx?sig=s3cr3t'),
      ca: server.ca,
      environment: withSecret({ token: 's3cr3t' }),
    };
    const told = await failure(asked);
    expect(told.message).toMatch(/answers 403: the credentials may not do that/);
    expect(JSON.stringify(told)).not.toContain('s3cr3t');
    const broken = await failure({ ...asked, environment: withSecret({ token: 's3cr3t\nx' }) });
    expect(broken.message).toMatch(/characters that no header may have/);
    expect(JSON.stringify(broken)).not.toContain('s3cr3t');
  });
});

describe('an address that is not meant for backbones is never connected to', () => {
  const strict = { LAYERCACHE_ALLOWED_HOSTS: '', LAYERCACHE_BACKBONE_DIGEST: DIGEST };
  const at =
    (address: string): Resolve =>
    () =>
      Promise.resolve([{ address, family: address.includes(':') ? 6 : 4 }]);

  test.each([
    'http://127.0.0.1/m',
    'http://2130706433/m',
    'http://0x7f000001/m',
    'http://0177.0.0.1/m',
    'http://127.1/m',
    'http://127.0.0.1./m',
    'http://①②⑦.⓪.⓪.①/m',
    'http://0/m',
    'http://[::1]/m',
    'http://[::ffff:127.0.0.1]/m',
    'http://[::ffff:7f00:1]/m',
    'http://[0:0:0:0:0:ffff:127.0.0.1]/m',
    'http://169.254.169.254/latest/meta-data',
    'http://[fd00:ec2::254]/latest',
    'http://[fe80::1]/m',
    'http://10.0.0.1/m',
    'http://192.168.0.1/m',
    'https://172.16.0.1/m',
    'http://100.100.100.200/m',
    'http://[64:ff9b::a9fe:a9fe]/m',
  ])('%s', async (uri) => {
    expect((await failure({ uri, environment: strict })).message).toMatch(
      /has the (private|reserved) address/,
    );
  });

  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '::1',
    '::ffff:10.0.0.1',
    'fd00::1',
    '0.0.0.0',
  ])('a name that leads to %s', async (address) => {
    const told = await failure({
      uri: 'https://public.example.com/m',
      environment: strict,
      resolve: at(address),
    });
    expect(told.message).toMatch(/public.example.com has the (private|reserved) address/);
  });

  test('a name with one private address among public ones', async () => {
    const resolve: Resolve = () =>
      Promise.resolve([
        { address: '93.184.215.14', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ]);
    expect(
      (await failure({ uri: 'https://a.example.com/m', environment: strict, resolve })).message,
    ).toMatch(/private address 10.0.0.1/);
  });

  test('a name server that answers differently the second time is asked once', async () => {
    const server = await host(serveModel, { secure: false });
    let asked = 0;
    const rebinding: Resolve = () => {
      asked += 1;
      return Promise.resolve([
        { address: asked === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 },
      ]);
    };
    const environment = { LAYERCACHE_BACKBONE_DIGEST: DIGEST };
    await obtain({ uri: server.url('/m.onnx'), environment, resolve: rebinding });
    expect(asked).toBe(1);
  });

  test('metadata is out of reach for a named host too', async () => {
    const told = await failure({
      uri: 'https://models.test/m',
      resolve: at('169.254.169.254'),
    });
    expect(told.message).toMatch(/reserved address/);
  });

  test('a host that is not in the list, also when a listed one redirects to it', async () => {
    const environment = { LAYERCACHE_ALLOWED_HOSTS: 'models.test' };
    const server = await host((_, response) =>
      response.writeHead(307, { location: 'https://elsewhere.org/m' }).end(),
    );
    expect((await failure({ uri: 'https://elsewhere.org/m', environment })).message).toMatch(
      /not in LAYERCACHE_ALLOWED_HOSTS/,
    );
    expect((await failure({ uri: server.url('/m'), ca: server.ca, environment })).message).toMatch(
      /elsewhere.org is not in LAYERCACHE_ALLOWED_HOSTS/,
    );
  });
});

describe('redirects', () => {
  test.each([
    ['the metadata service', 'http://169.254.169.254/latest', /only https:\/\//],
    ['the metadata service over TLS', 'https://169.254.169.254/latest', /reserved address/],
    ['the loopback', 'https://127.0.0.1/m', /private address|not in LAYERCACHE/],
    ['plain HTTP', 'http://models.test/m', /only https:\/\//],
    ['a file', 'file:///etc/passwd', /only https:\/\//],
    ['a URL with a password', 'https://u:p@models.test/m', /without a password/],
    ['no URL', 'https://', /redirects to nowhere/],
  ])('to %s end the attempt', async (_, location, message) => {
    const server = await host((_request, response) => response.writeHead(302, { location }).end());
    const told = await failure({
      uri: server.url('/m'),
      ca: server.ca,
      environment: { LAYERCACHE_ALLOWED_HOSTS: '*,*.test' },
    });
    expect(told.message).toMatch(message);
  });

  test('are followed three times, relative ones too', async () => {
    const server = await host((request, response) => {
      const hop = Number(/^\/hop(\d)$/.exec(request.url ?? '')?.[1] ?? '-1');
      if (hop === -1) serveModel(request, response);
      else response.writeHead(301, { location: hop === 0 ? 'm.onnx' : `/hop${hop - 1}` }).end();
    });
    expect(readFileSync(await obtain({ uri: server.url('/hop2'), ca: server.ca }))).toEqual(MODEL);
    rmSync(join(bench.dir(), 'cache'), { recursive: true });
    expect((await failure({ uri: server.url('/hop3'), ca: server.ca })).message).toMatch(
      /more than 3 times/,
    );
  });
});

describe('a host that misbehaves costs bounded time and space', () => {
  test.each<[string, RequestListener, RegExp]>([
    ['answers 500', (_, response) => response.writeHead(500).end(), /answers 500/],
    ['answers 401', (_, response) => response.writeHead(401).end(), /answers 401: name a Secret/],
    ['answers 404', (_, response) => response.writeHead(404).end(), /answers 404: correct/],
    ['answers 206', (_, response) => response.writeHead(206).end('x'), /answers 206/],
    [
      'sends compressed bytes',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(MODEL)),
      /sent as gzip/,
    ],
    [
      'announces too much',
      (_, response) => response.writeHead(200, { 'content-length': 2_000 }).write('x'),
      /larger than 1000 bytes/,
    ],
    [
      'never ends',
      (_, response) => {
        const chunk = Buffer.alloc(300);
        const more = (): void => {
          if (!response.destroyed) response.write(chunk, () => setImmediate(more));
        };
        more();
      },
      /larger than 1000 bytes/,
    ],
    [
      'breaks off in the middle',
      (_, response) => {
        response.writeHead(200, { 'content-length': MODEL.length });
        response.write(MODEL.subarray(0, 10), () => response.destroy());
      },
      /the connection was cut|aborted/,
    ],
    ['says nothing', () => undefined, /silent for 0.3 s/],
    [
      'stops after the first bytes',
      (_, response) => response.write('x'),
      /silent for 0.3 s|the connection was cut|aborted/,
    ],
    [
      'trickles',
      (_, response) => {
        const timer = setInterval(() => response.write('x'), 50);
        response.on('close', () => {
          clearInterval(timer);
        });
      },
      /did not arrive within 1 s/,
    ],
  ])('%s', async (_, handle, message) => {
    const server = await host(handle);
    const told = await failure({
      uri: server.url('/m'),
      ca: server.ca,
      limits: { maxBytes: 1_000, idleMs: 300, totalMs: 1_000 },
    });
    expect(told.code).toBe('BackboneFetchFailed');
    expect(told.message).toMatch(message);
  });

  test('does not exist', async () => {
    const resolve: Resolve = () =>
      Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
    expect((await failure({ uri: 'https://nowhere.test/m', resolve })).message).toBe(
      'https://nowhere.test/m cannot be fetched: its name does not resolve: correct the host in backbone.uri (ENOTFOUND).',
    );
    const empty: Resolve = () => Promise.resolve([]);
    expect((await failure({ uri: 'https://nowhere.test/m', resolve: empty })).message).toMatch(
      /no address/,
    );
  });

  test('refuses connections', async () => {
    expect((await failure({ uri: 'https://models.test:1/m' })).message).toMatch(
      /nothing listens there/,
    );
  });

  test('fails for the notes: a model without its notes would answer differently', async () => {
    const server = await host((request, response) => {
      if (request.url === '/m.onnx') response.end(MODEL);
      else response.writeHead(503).end();
    });
    expect((await failure({ uri: server.url('/m.onnx'), ca: server.ca })).message).toMatch(
      /layercache.json answers 503/,
    );
  });

  test('is left at once when the process ends', async () => {
    const ending = new AbortController();
    const server = await host(() => {
      ending.abort();
    });
    await failure({ uri: server.url('/m'), ca: server.ca, signal: ending.signal });
  });
});

test.each(['s3://bucket/m', 'oci://registry/m'])(
  '%s is refused with what is read instead',
  async (uri) => {
    const told = await failure({ uri });
    expect(told.code).toBe('BackboneFetchFailed');
    expect(told.message).toMatch(/does not read; use https:\/\/, pvc:\/\/ or file:\/\//);
  },
);
