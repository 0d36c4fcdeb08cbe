import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../../operator/clock.ts';
import {
  createInferClient,
  type InferClient,
  type SettledRequest,
} from '../../../../../operator/local/replay/infer-client.ts';
import type { createInferCodec } from '../../../../../operator/local/replay/infer-codec.ts';

const ANSWER = { exit: 'backbone', policy: '1.1', headRevision: '', classIds: [3] };
const codec = {
  encode: () => ({ headerLength: 2, body: Buffer.from('{}') }),
  decode: () => ANSWER,
} as unknown as ReturnType<typeof createInferCodec>;

const servers: Server[] = [];
const clients: InferClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(
    servers.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  );
});

/** A server that gives these statuses in turn, the last for ever; 0 breaks the connection. */
async function aServer(
  ...statuses: readonly number[]
): Promise<{ url: string; asked: () => number; headers: IncomingHttpHeaders[] }> {
  let asked = 0;
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    const status = statuses[Math.min(asked++, statuses.length - 1)];
    headers.push(request.headers);
    request.resume();
    if (status === 0) request.socket.destroy();
    else response.writeHead(status ?? 200).end('{}');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    headers,
  };
}

async function nobodyAt(): Promise<string> {
  const { url } = await aServer(200);
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return url;
}

function aClient(dataUrls: () => readonly string[], timeoutMs = 10_000) {
  const settled: SettledRequest[] = [];
  const attempts: string[] = [];
  const client = createInferClient({
    dataUrls,
    modelName: 'm',
    codec,
    clock: systemClock,
    timeoutMs,
    sourceHeader: 'x-camera',
    onAttempt: (url) => attempts.push(url),
    onSettled: (one) => settled.push(one),
  });
  clients.push(client);
  return { client, settled, attempts };
}

const row = [Buffer.alloc(1)];

describe('a request that no server took', () => {
  test('is waited for no longer once the client is closed', async () => {
    const { client } = aClient(() => [], 3_600_000);
    const asked = client.infer(row, 'auto');
    client.close();
    expect(await asked).toMatchObject({ ok: false, code: 'no_server' });
  });

  test('goes to the next server at once when nobody listens', async () => {
    const [gone, alive] = [await nobodyAt(), await aServer(200)];
    const { client, attempts } = aClient(() => [gone, alive.url]);
    expect((await client.infer(row, 'auto')).ok).toBe(true);
    expect(attempts).toEqual([gone, alive.url]);
  });

  test('is sent again to a server that answers 503 until it takes it', async () => {
    const { url, asked } = await aServer(503, 503, 200);
    const { client, settled } = aClient(() => [url]);
    expect(await client.infer(row, 'auto')).toMatchObject({ ok: true, answer: ANSWER });
    expect(asked()).toBe(3);
    expect(settled.map(({ end }) => end)).toEqual(['SentAgain', 'SentAgain', 'Answered']);
  });

  test('waits for a server to come when there is none, however short its own time is', async () => {
    const { url } = await aServer(200);
    let looks = 0;
    const { client, attempts } = aClient(() => (looks++ < 12 ? [] : [url]), 500);
    expect((await client.infer(row, 'auto')).ok).toBe(true);
    expect(attempts).toEqual([url]);
  });

  test('waits for none any longer once it is given up, and one that was taken gets its answer', async () => {
    const { url } = await aServer(200);
    let urls: readonly string[] = [url];
    const { client } = aClient(() => urls);
    const taken = client.infer(row, 'auto');
    urls = [];
    const waiting = client.infer(row, 'auto');
    client.giveUp();
    expect((await taken).ok).toBe(true);
    expect(await waiting).toMatchObject({ ok: false, code: 'no_server' });
  });

  test('fails with what it was told last once its time is over', async () => {
    const { url } = await aServer(503);
    const { client } = aClient(() => [url], 400);
    expect(await client.infer(row, 'auto')).toMatchObject({ ok: false, code: 'http_503' });
  });
});

describe('frames of a clip', () => {
  test('name it in the header of the service, in letters that headers take', async () => {
    const { url, headers } = await aServer(200);
    const { client } = aClient(() => [url]);
    for (const clip of ['street', 'straße/2', 'd'.repeat(300)]) {
      await client.infer(row, 'auto', clip);
    }
    await client.infer(row, 'auto');
    expect(headers.map((sent) => sent['x-camera'])).toEqual([
      ...['street', 'stra%C3%9Fe%2F2', 'd'.repeat(256), undefined],
    ]);
  });

  test('go to one server, which remembers them, and to the next where that one does not take them', async () => {
    const servers = [await aServer(200), await aServer(200), await aServer(200)];
    const { client, attempts } = aClient(() => servers.map(({ url }) => url));
    const clips = Array.from({ length: 30 }, (_, i) => `clip${i}`);
    const placesOf = async (clip: string): Promise<string[]> => {
      attempts.length = 0;
      for (let i = 0; i < 3; i++) await client.infer(row, 'auto', clip);
      return [...attempts];
    };
    const homes = new Set<string>();
    for (const clip of clips) {
      const places = await placesOf(clip);
      expect(new Set(places).size).toBe(1);
      homes.add(places[0] ?? '');
    }
    expect(homes.size).toBe(3);
    const busy = await aServer(503);
    const { client: other, attempts: tried } = aClient(() => [busy.url, servers[0]!.url]);
    for (const clip of clips) expect((await other.infer(row, 'auto', clip)).ok).toBe(true);
    expect(tried).toContain(busy.url);
  });
});

describe('a request that a server took', () => {
  test('and did not answer is a failure, and is sent to no other', async () => {
    const [broken, other] = [await aServer(0), await aServer(200)];
    const { client, settled } = aClient(() => [broken.url, other.url]);
    expect(await client.infer(row, 'auto')).toMatchObject({ ok: false, code: 'econnreset' });
    expect([other.asked(), settled.map(({ end }) => end)]).toEqual([0, ['Failed']]);
  });

  test('and refused for good is a failure', async () => {
    const { url, asked } = await aServer(429);
    const { client } = aClient(() => [url]);
    expect(await client.infer(row, 'auto')).toMatchObject({ ok: false, code: 'http_429' });
    expect(asked()).toBe(1);
  });
});
