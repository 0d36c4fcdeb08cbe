// Stores that misbehave: every transfer ends in time, in bounds and with a sentence.
import { createHash } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { isSameStore, parseStoreUri } from '../../../server/net/stores/store-uri.ts';
import {
  fetchBundle,
  isWorthRepeating,
  storeBundle,
  type Fetched,
  type TransferRules,
} from '../../../server/net/stores/transfer-bundle.ts';
import { hostBench } from '../../support/host-bench.ts';
import type { ModelHost } from '../../support/model-host.ts';
import { placeOf, transferRules, type RulesWish } from '../../support/store-rules.ts';

const BYTES = Buffer.from('as good as a bundle for a store');
const DIGEST = digestOf(BYTES);
const MANIFEST = Buffer.from(JSON.stringify({ schemaVersion: 2, layers: [{ digest: DIGEST }] }));

const bench = hostBench();

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const hostOf = (handle: RequestListener, more = {}): Promise<ModelHost> =>
  bench.host(handle, { name: 'store.test', ...more });

let mounts = 0;
function mount(files: Readonly<Record<string, string>>): string {
  return bench.mount(`mount-${mounts++}`, files);
}

interface Wish {
  readonly secret?: Readonly<Record<string, string>>;
  readonly limits?: NonNullable<RulesWish['limits']>;
  readonly allowed?: string;
}

function rules(
  host: ModelHost,
  { secret, limits = {}, allowed = '*.test,*' }: Wish,
): TransferRules {
  return transferRules({
    access: {
      credentialsDir: secret === undefined ? null : mount(secret),
      caBundleDir: mount({ 'ca.crt': host.ca }),
    },
    resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    ...{ allowed, limits },
  });
}

const KEYS = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 's3cr3t' };

function fromS3(host: ModelHost, wish: Wish = {}): Promise<Fetched> {
  const secret = { ...KEYS, AWS_ENDPOINT_URL: host.url(''), ...wish.secret };
  return fetchBundle(placeOf('s3://heads/a/b'), DIGEST, rules(host, { ...wish, secret }));
}

function fromRegistry(host: ModelHost, wish: Wish = {}): Promise<Fetched> {
  const uri = `oci://store.test:${host.port}/team/heads:1`;
  return fetchBundle(placeOf(uri), DIGEST, rules(host, wish));
}

/** A registry whose blobs are as a test has them. */
function registry(blob: (response: ServerResponse) => void): RequestListener {
  return (request, response) => {
    if (request.url?.includes('/manifests/') === true) response.end(MANIFEST);
    else blob(response);
  };
}

async function failureOf(fetched: Promise<Fetched>): Promise<string> {
  const result = await fetched;
  return result.ok ? 'it came' : `${result.code}: ${result.message}`;
}

const TROUBLE: readonly [string, (response: ServerResponse) => void, RegExp][] = [
  ['404', (response) => response.writeHead(404).end(), /BundleMissing: .*answers 404/],
  [
    '403',
    (response) => response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>'),
    /BundleMissing: .*answers 403.*the\.secret/,
  ],
  ['500', (response) => response.writeHead(500).end('x'.repeat(99_999)), /answers 500/],
  [
    'a body that never ends',
    (response) => {
      const more = (): boolean => response.write('x'.repeat(1_000), () => void setImmediate(more));
      more();
    },
    /HeadTooLarge: .*larger than 10000 bytes/,
  ],
  [
    'a length above the limit',
    (response) => response.writeHead(200, { 'content-length': 99_999_999 }).write('x'),
    /HeadTooLarge/,
  ],
  [
    'a body that breaks off',
    (response) => {
      response.writeHead(200, { 'content-length': 5_000 });
      response.write('x'.repeat(100), () => response.destroy());
    },
    /BundleMissing: .*cut|BundleMissing: .*aborted/,
  ],
  [
    'compressed bytes',
    (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    /store the file uncompressed/,
  ],
];

describe.each(TROUBLE)('a store that answers with %s', (_, answer, told) => {
  test('gives nothing, over either protocol', async () => {
    const s3 = await hostOf((__, response) => {
      answer(response);
    });
    expect(await failureOf(fromS3(s3))).toMatch(told);
    const oci = await hostOf(registry(answer));
    expect(await failureOf(fromRegistry(oci))).toMatch(told);
  });
});

describe('time', () => {
  test('a store that is silent is left, and so is one that trickles', async () => {
    const silent = await hostOf(() => undefined);
    expect(await failureOf(fromS3(silent, { limits: { idleMs: 50 } }))).toMatch(
      /silent for 0\.05 s/,
    );
    const trickling = await hostOf((__, response) => {
      const timer = setInterval(() => response.write('x'), 10);
      response.on('close', () => {
        clearInterval(timer);
      });
    });
    const wish = { limits: { totalMs: 200 } };
    expect(await failureOf(fromS3(trickling, wish))).toMatch(
      /s3:\/\/heads\/a\/b took longer than 0\.2 s/,
    );
  });
});

describe('redirects', () => {
  test('S3 is not followed anywhere', async () => {
    const host = await hostOf((__, response) =>
      response.writeHead(301, { location: 'https://other.test/' }).end(),
    );
    expect(await failureOf(fromS3(host))).toMatch(/redirects \(301\).*AWS_REGION/);
    expect(host.asked).toHaveLength(1);
  });

  test('a registry may send to its blobs elsewhere, which are not told who asks', async () => {
    const blobs = await hostOf((__, response) => response.end(BYTES), { name: 'blobs.test' });
    const host = await hostOf((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      } else if (request.url?.includes('/manifests/') === true) response.end(MANIFEST);
      else response.writeHead(307, { location: blobs.url('/blob?sig=1') }).end();
    });
    const both = { ...host, ca: host.ca + blobs.ca };
    const secret = { username: 'me', password: 'pw' };
    expect(await fromRegistry(both, { secret })).toEqual({ ok: true, value: BYTES });
    expect(blobs.asked).toEqual(['GET /blob?sig=1']);
  });

  test.each([
    ['http://store.test/x', /only https:\/\//],
    ['https://169.254.169.254/latest/meta-data', /reserved address 169\.254\.169\.254/],
    ['https://10.0.0.1/x', /private address 10\.0\.0\.1/],
    ['https://user:pw@store.test/x', /only https:\/\/ without a password/],
  ])('a registry that sends to %s is not followed', async (location, told) => {
    const host = await hostOf(registry((response) => response.writeHead(307, { location }).end()));
    expect(await failureOf(fromRegistry(host))).toMatch(told);
  });

  test('nor round in circles', async () => {
    const host: ModelHost = await hostOf(
      registry((response) => response.writeHead(307, { location: host.url('/again') }).end()),
    );
    expect(await failureOf(fromRegistry(host))).toMatch(/redirects more than 3 times/);
  });
});

describe('who asks', () => {
  test('S3 is asked with a signature, and never with the key itself', async () => {
    const host = await hostOf((__, response) => response.end(BYTES));
    const secret = { AWS_SESSION_TOKEN: 'session', AWS_REGION: 'eu-west-3' };
    expect(await fromS3(host, { secret })).toEqual({ ok: true, value: BYTES });
    expect(host.asked[0]).toMatch(
      /^GET \/heads\/a\/b AWS4-HMAC-SHA256 Credential=id\/\d{8}\/eu-west-3\/s3\/aws4_request/,
    );
    expect(host.asked[0]).not.toContain('s3cr3t');
  });

  test.each([
    [
      { AWS_SECRET_ACCESS_KEY: '' },
      /AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed.*the Secret of/,
    ],
    [{ AWS_ACCESS_KEY_ID: 'two words' }, /each one word/],
    [{ AWS_ENDPOINT_URL: 'minio' }, /AWS_ENDPOINT_URL.*no URL/],
    [{ AWS_ENDPOINT_URL: 'ftp://minio' }, /AWS_ENDPOINT_URL.*no URL/],
  ])('a Secret with %o is told by its key, not by its value', async (secret, told) => {
    const host = await hostOf(() => undefined);
    const failure = await failureOf(fromS3(host, { secret }));
    expect(failure).toMatch(told);
    expect(failure).not.toMatch(/s3cr3t|two words/);
    expect(host.asked).toEqual([]);
  });

  test('a registry gives tokens for what is asked, and gets them', async () => {
    const tokens = await hostOf((__, response) => response.end('{"token":"t0ken"}'), {
      name: 'auth.test',
    });
    const host = await hostOf((request, response) => {
      const realm = `Bearer realm="${tokens.url('/token')}",service="reg"`;
      if (request.headers.authorization !== 'Bearer t0ken')
        response.writeHead(401, { 'www-authenticate': realm }).end();
      else registry((blob) => blob.end(BYTES))(request, response);
    });
    const both = { ...host, ca: host.ca + tokens.ca };
    const name = `store.test:${host.port}`;
    const auths = { [`https://${name}/v1/`]: { username: 'me', password: 'pw' } };
    const secret = { '.dockerconfigjson': JSON.stringify({ auths }) };
    expect(await fromRegistry(both, { secret })).toEqual({ ok: true, value: BYTES });
    const basic = Buffer.from('me:pw').toString('base64');
    expect(tokens.asked[0]).toBe(
      `GET /token?service=reg&scope=repository%3Ateam%2Fheads%3Apull Basic ${basic}`,
    );
  });

  test.each([
    ['Bearer realm="http://auth.test/"', {}, /token service that is not https/],
    ['Negotiate', { username: 'me', password: 'pw' }, /answers 401/],
    ['Basic', { other: 'x' }, /neither \.dockerconfigjson nor username/],
    ['Basic', { '.dockerconfigjson': '{' }, /is no Docker configuration/],
    ['Basic', { '.dockerconfigjson': '{"auths":{"other.test":{}}}' }, /answers 401/],
  ])('a registry that wants %s of %o is told', async (challenge, given, told) => {
    const host = await hostOf((__, response) =>
      response.writeHead(401, { 'www-authenticate': challenge }).end(),
    );
    const wish = Object.keys(given).length === 0 ? {} : { secret: given as Record<string, string> };
    expect(await failureOf(fromRegistry(host, wish))).toMatch(told);
  });
});

describe('artifacts', () => {
  test.each([
    ['no manifest', '{"layers":[]}', /no manifest of one image/],
    ['no JSON', '<html>', /no manifest of one image/],
    [
      'two layers that are others',
      JSON.stringify({ layers: [1, 2].map((i) => ({ digest: digestOf(Buffer.of(i)) })) }),
      /has no layer sha256:/,
    ],
  ])('a tag with %s gives no bundle', async (_, manifest, told) => {
    const host = await hostOf((__, response) => response.end(manifest));
    expect(await failureOf(fromRegistry(host))).toMatch(told);
  });

  test('a manifest has the digest that it is asked by', async () => {
    const host = await hostOf(registry((response) => response.end(BYTES)));
    const base = `oci://store.test:${host.port}/team/heads`;
    const ask = (digest: string): Promise<Fetched> =>
      fetchBundle(placeOf(`${base}@${digest}`), DIGEST, rules(host, {}));
    expect(await ask(digestOf(MANIFEST))).toEqual({ ok: true, value: BYTES });
    expect(await failureOf(ask(DIGEST))).toMatch(/another manifest than its digest says/);
    expect(await failureOf(fetchBundle(placeOf(base), DIGEST, rules(host, {})))).toMatch(
      /names no artifact/,
    );
  });
});

test('a store that is busy is worth another try; one that says no is not', async () => {
  for (const [status, isWorth] of [
    [503, true],
    [429, true],
    [403, false],
    [404, false],
  ] as const) {
    const host = await hostOf((__, response) => response.writeHead(status).end());
    const secret = { ...KEYS, AWS_ENDPOINT_URL: host.url('') };
    const bundle = { digest: DIGEST, bytes: BYTES };
    const failure = await storeBundle(placeOf('s3://heads'), bundle, rules(host, { secret })).catch(
      (error: unknown) => error,
    );
    expect([status, isWorthRepeating(failure)]).toEqual([status, isWorth]);
  }
});

test('hosts are those that are allowed', async () => {
  const host = await hostOf((__, response) => response.end(BYTES));
  expect(await failureOf(fromS3(host, { allowed: 'other.test' }))).toMatch(
    /not in LAYERCACHE_ALLOWED_HOSTS/,
  );
  expect(await failureOf(fromS3(host, { allowed: '*' }))).toMatch(/private address 127\.0\.0\.1/);
});

test.each([
  's3://',
  's3://UPPER/x',
  's3://heads/../x',
  'oci://registry',
  'oci://registry/UPPER',
  'oci://registry/a:b:c',
  'https://heads/x',
])('%s is no place of a bundle', (uri) => {
  expect(parseStoreUri(uri)).toMatchObject({ ok: false });
});

test('credentials are for one bucket or one registry', () => {
  const same = (a: string, b: string): boolean => isSameStore(placeOf(a), placeOf(b));
  expect(same('s3://heads/a', 's3://heads/b')).toBe(true);
  expect(same('s3://heads/a', 's3://other/a')).toBe(false);
  expect(same('oci://r.test/a', 'oci://r.test/b:1')).toBe(true);
  expect(same('oci://r.test/a', 'oci://r.test:5000/a')).toBe(false);
  expect(same('s3://heads/a', 'oci://heads/a')).toBe(false);
});
