// A server whose policy names heads at a store. The store is a plain host on loopback: digests make it as good as any.
import { writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { MissingHeadsReport } from '../../../crds/wire/state.ts';
import { ServingError } from '../../../server/errors.ts';
import { createRemoteHeads, type RemoteHeads } from '../../../server/store/remote-heads.ts';
import { eventually } from '../../support/eventually.ts';
import { hostBench } from '../../support/host-bench.ts';
import type { ModelHost } from '../../support/model-host.ts';
import {
  EASY,
  aCandidate,
  aPolicy,
  aTrack,
  digestOf,
  fakeBundle,
  send,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';

const BYTES = encodeHeadBundle(fakeBundle(5));
const DIGEST = digestOf(BYTES);
const URI = 's3://heads/vision/5';

const bench = hostBench();
const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const hostOf = (handle: RequestListener): Promise<ModelHost> =>
  bench.host(handle, { name: '127.0.0.1', secure: false });

async function serverAt(host: ModelHost, more: Record<string, string> = {}): Promise<TestServer> {
  const secret = bench.mount('secret', {
    ...{ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 's3cr3t' },
    AWS_ENDPOINT_URL: host.url(''),
  });
  const server = await startTestServer({
    environment: {
      LAYERCACHE_CACHE_DIR: join(bench.dir(), 'cache'),
      LAYERCACHE_HEAD_STORE: 's3://heads/vision',
      LAYERCACHE_STORE_CREDENTIALS_DIR: secret,
      LAYERCACHE_ALLOWED_HOSTS: '127.0.0.1',
      ...more,
    },
  });
  servers.push(server);
  return server;
}

async function missingIn(server: TestServer): Promise<readonly MissingHeadsReport[]> {
  return (await server.state()).missingHeads ?? [];
}

const stable = { ...aTrack(DIGEST), bundleUri: URI };

describe('stable heads at a store', () => {
  test('are waited for under the policy before, and then serve without another push', async () => {
    let isThere = false;
    const host = await hostOf((_, response) => {
      if (isThere) response.end(BYTES);
      else response.writeHead(503).end();
    });
    const server = await serverAt(host);
    await server.apply(aPolicy({ revision: 1 }));
    const told = await server.apply(aPolicy({ revision: 2, stable }));
    expect(told).toMatchObject({ result: 'Rejected', reason: 'HeadMissing', revision: 1 });
    expect(told.message).toContain(`it has come from ${URI}`);
    await eventually(async () => {
      expect(await missingIn(server)).toMatchObject([
        { headRevision: DIGEST, reason: 'BundleMissing' },
      ]);
    });
    isThere = true;
    await eventually(async () => {
      const { acknowledgement } = await server.state();
      expect(acknowledgement).toMatchObject({ revision: 2, result: 'Applied', reason: '' });
    }, 20_000);
    expect((await server.ask([EASY])).parameters.layercache_exit).toBe('early');
    expect(await missingIn(server)).toEqual([]);
  });

  test('come from the disk when the container starts again without a store', async () => {
    const host = await hostOf((_, response) => response.end(BYTES));
    const first = await serverAt(host);
    await first.apply(aPolicy({ stable }));
    await eventually(async () => {
      expect((await first.state()).acknowledgement.headRevisions).toEqual([DIGEST]);
    });
    await servers.pop()?.close();
    await host.close();
    const second = await serverAt(host);
    expect(await second.apply(aPolicy({ stable }))).toMatchObject({
      result: 'Applied',
      reason: '',
    });
  });

  test('that a newer policy no longer names are no longer asked for', async () => {
    const host = await hostOf((_, response) => response.writeHead(404).end());
    const server = await serverAt(host);
    await server.apply(aPolicy({ revision: 2, stable }));
    await eventually(async () => {
      expect(await missingIn(server)).toHaveLength(1);
    });
    await server.apply(aPolicy({ revision: 3 }));
    expect(await missingIn(server)).toEqual([]);
  });
});

describe('a candidate at a store', () => {
  test('joins the policy in force when it comes', async () => {
    let give: (() => void) | null = null;
    const host = await hostOf((_, response) => {
      give = () => response.end(BYTES);
    });
    const server = await serverAt(host);
    const candidate = { ...aCandidate(DIGEST, 0), bundleUri: URI };
    const told = await server.apply(aPolicy({ candidate }));
    expect(told).toMatchObject({
      result: 'Applied',
      reason: 'CandidateMissing',
      headRevisions: [],
    });
    await eventually(() => {
      if (give === null) throw new Error('not asked yet');
      give();
    });
    await eventually(async () => {
      const { acknowledgement } = await server.state();
      expect(acknowledgement).toMatchObject({ reason: '', headRevisions: [DIGEST] });
    });
  });

  const BROKEN = Buffer.from('no bundle at all');
  const FOREIGN = encodeHeadBundle({ ...fakeBundle(5), classCount: 9 });
  test.each<[string, Uint8Array, string, string, RegExp]>([
    ['other bytes', encodeHeadBundle(fakeBundle(6)), DIGEST, 'DigestMismatch', /restore the right/],
    ['no bundle', BROKEN, digestOf(BROKEN), 'Malformed', /^s3:/],
    ['a bundle that does not fit', FOREIGN, digestOf(FOREIGN), 'Malformed', /./],
  ])('that is %s is never loaded, and the state says why', async (...row) => {
    const [, bytes, digest, reason, told] = row;
    const host = await hostOf((__, response) => response.end(bytes));
    const server = await serverAt(host);
    await server.apply(aPolicy({ candidate: { ...aCandidate(digest, 0), bundleUri: URI } }));
    await eventually(async () => {
      const [missing] = await missingIn(server);
      expect(missing).toMatchObject({ headRevision: digest, reason });
      expect(missing?.message).toMatch(told);
    });
    expect((await server.state()).heads).toEqual([]);
  });
});

describe('the operator, which has no credentials', () => {
  const path = `/v1/heads/${DIGEST.slice('sha256:'.length)}`;
  const bring = (server: TestServer, body: object | string) =>
    send(server.admin, path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  test('has a server bring heads that no policy names, and reads them', async () => {
    const host = await hostOf((_, response) => response.end(BYTES));
    const server = await serverAt(host);
    expect((await send(server.admin, path)).status).toBe(404);
    const answer = JSON.parse((await bring(server, { uri: URI })).body.toString()) as object;
    expect(answer).toEqual({ headRevision: DIGEST, result: 'Stored', reason: '', message: '' });
    const read = await send(server.admin, path);
    expect(digestOf(read.body)).toBe(DIGEST);
    expect(host.asked[0]).toMatch(/^GET \/heads\/vision\/5 AWS4-HMAC/);
  });

  test('reads them also where no disk could keep them', async () => {
    const host = await hostOf((_, response) => response.end(BYTES));
    writeFileSync(join(bench.dir(), 'cache'), 'a file where a folder should be');
    const server = await serverAt(host);
    await bring(server, { uri: URI });
    expect(digestOf((await send(server.admin, path)).body)).toBe(DIGEST);
  });

  test('hears why they cannot be had, and asks in a form that is understood', async () => {
    const host = await hostOf((_, response) => response.writeHead(404).end());
    const server = await serverAt(host);
    const answer = JSON.parse((await bring(server, { uri: URI })).body.toString()) as object;
    expect(answer).toMatchObject({ result: 'Missing', reason: 'BundleMissing' });
    const odd = JSON.parse((await bring(server, { uri: 'ftp://x' })).body.toString()) as object;
    expect(odd).toMatchObject({
      result: 'Missing',
      message: expect.stringMatching(/s3:\/\//) as string,
    });
    for (const body of ['{', '{}', '{"uri":"s3://a/b","more":1}']) {
      expect((await bring(server, body)).status).toBe(400);
    }
    expect(await missingIn(server)).toEqual([]);
  });

  test('never has the Secret shown to another bucket', async () => {
    const host = await hostOf((_, response) => response.end(BYTES));
    const server = await serverAt(host);
    // The address in the Secret is part of it: another bucket is looked for at the public service, which loopback is not.
    await bring(server, { uri: 's3://somebody-elses.bucket/x' });
    expect(host.asked).toEqual([]);
  });
});

test('tries come less and less often, are one at a time, and end with the server', async () => {
  let tries = 0;
  let heads: RemoteHeads | null = null;
  const problems: string[] = [];
  const fetched: string[] = [];
  const arrived = new Promise<string>((resolve) => {
    heads = createRemoteHeads({
      files: { put: () => Promise.resolve('Stored') },
      fetch: (_place, _digest, { onBytes }) => {
        tries += 1;
        onBytes(tries * 10);
        return Promise.resolve(
          tries < 4
            ? { ok: false, code: 'BundleMissing', message: `try ${Math.ceil(tries / 2)}` }
            : { ok: true, value: BYTES },
        );
      },
      onArrived: resolve,
      onProblem: ({ message }) => problems.push(message),
      onFetched: ({ isUsable, bytes, source }) => fetched.push(`${source} ${isUsable} ${bytes}`),
      retry: { firstMs: 1, mostMs: 2 },
    });
    heads.want([{ headRevision: DIGEST, uri: URI }]);
    heads.want([{ headRevision: DIGEST, uri: URI }]);
  });
  expect(await arrived).toBe(DIGEST);
  expect(tries).toBe(4);
  // A sentence is told once, not with each try.
  expect(problems).toEqual(['try 1', 'try 2']);
  expect(fetched).toEqual(['s3 false 10', 's3 false 20', 's3 false 30', 's3 true 40']);
  heads!.close();
  heads!.want([{ headRevision: DIGEST, uri: URI }]);
  expect(heads!.problems()).toEqual([]);
});

test('bytes of the right digest are read once, by who keeps them', async () => {
  const broken = Buffer.from('no bundle at all');
  const given: Uint8Array[] = [];
  const heads = createRemoteHeads({
    files: {
      put: (_, bytes) => {
        given.push(bytes);
        return Promise.reject(new ServingError('head_refused', { detail: 'it is none.' }));
      },
    },
    fetch: () => Promise.resolve({ ok: true, value: broken }),
    onArrived: () => undefined,
    onProblem: () => undefined,
    onFetched: () => undefined,
  });
  const headRevision = digestOf(broken);
  expect(await heads.bring({ headRevision, uri: URI })).toMatchObject({
    problem: {
      headRevision,
      reason: 'Malformed',
      message: `${URI}: The head bundle is refused: it is none.`,
    },
  });
  expect(given).toEqual([broken]);
  heads.close();
});
