import { createServer as createTlsServer, type Server } from 'node:https';
import type { RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../operator/clock.ts';
import type { AdminCall, AdminClient } from '../../../../operator/fleet/admin-client.ts';
import { createKeptSockets } from '../../../../operator/fleet/kept-sockets.ts';
import { createPodClients } from '../../../../operator/fleet/pod-client.ts';
import { pullEvidence } from '../../../../operator/fleet/pull-evidence.ts';
import { eventually } from '../../../support/eventually.ts';
import { ROOT_KEY, SERVICE, datedKeyPair, keyPairOf } from '../../../support/admin-keys.ts';

const open: (Server | NetServer | AdminClient)[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const one of open.splice(0)) one.close();
});

async function listening(server: Server | NetServer): Promise<AdminClient> {
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = createPodClients(ROOT_KEY, SERVICE, systemClock, createKeptSockets(16)).open({
    host: '127.0.0.1',
    port,
  });
  open.push(client, server);
  return client;
}

function pod(handle: RequestListener, keys = keyPairOf('server')): Promise<AdminClient> {
  return listening(createTlsServer({ key: keys.privateKey, cert: keys.certificate }, handle));
}

const GET = { method: 'GET', path: '/v1/state' } as const;
const SLOW = { method: 'GET', path: '/v1/heads' } as const;

test('connections are kept: twenty calls shake hands once', async () => {
  const client = await pod((_, response) => response.end('{}'));
  for (let i = 0; i < 20; i++) expect((await client.call(GET)).ok).toBe(true);
  expect(sockets.size).toBe(1);
});

test('many calls at once share four connections', async () => {
  const client = await pod((_, response) => response.end('{}'));
  const answers = await Promise.all(Array.from({ length: 40 }, () => client.call(GET)));
  expect(answers.every(({ ok }) => ok)).toBe(true);
  expect(sockets.size).toBeLessThanOrEqual(4);
});

test('an IPv6 address is written as URLs want it', () => {
  const client = createPodClients(ROOT_KEY, SERVICE, systemClock, createKeptSockets(16)).open({
    host: 'fd00::1',
    port: 8081,
  });
  open.push(client);
  expect(client.baseUrl).toBe('https://[fd00::1]:8081');
});

describe('is a value, and soon', () => {
  test.each<[string, RequestListener, RegExp]>([
    ['an answer that does not come', () => undefined, /no answer within 200 ms/],
    [
      'an answer that trickles',
      (_, response) => {
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => {
          clearInterval(timer);
        });
      },
      /no answer within 200 ms|aborted/,
    ],
    [
      'an answer without end',
      (_, response) => {
        const chunk = Buffer.alloc(65_536);
        const more = (): void => {
          if (!response.destroyed) response.write(chunk, () => setImmediate(more));
        };
        more();
      },
      /larger than 100000 bytes/,
    ],
    [
      'a connection that is cut',
      (request) => request.socket.destroy(),
      /socket hang up|ECONNRESET/,
    ],
  ])('%s', async (_, handle, message) => {
    const client = await pod(handle);
    const answer = await client.call({ ...GET, deadlineMs: 200, maxBytes: 100_000 });
    expect(answer).toMatchObject({ ok: false, code: 'NoAnswer' });
    expect(!answer.ok && answer.message).toMatch(message);
  });

  test('a compressed bomb: nothing is ever inflated', async () => {
    const client = await pod((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.alloc(1_000, 0x1f)),
    );
    expect(await pullEvidence(client, 0, false)).toMatchObject({ ok: false, code: 'Malformed' });
  });

  test('a peer that accepts and never shakes hands', async () => {
    const client = await listening(createServer(() => undefined));
    const answer = await client.call({ ...GET, deadlineMs: 100 });
    expect(answer).toMatchObject({ ok: false, code: 'NoAnswer' });
  });

  test('plain HTTP at that port', async () => {
    const client = await listening(
      createServer((socket) => {
        socket.end('HTTP/1.1 200 OK\r\n\r\n{}');
      }),
    );
    expect((await client.call(GET)).ok).toBe(false);
  });

  test.each<[string, () => ReturnType<typeof keyPairOf>, RegExp]>([
    [
      'another key',
      () => keyPairOf('server', { ...SERVICE, serviceUid: 'other' }),
      /another key answers there/,
    ],
    ['the key of the trainer', () => keyPairOf('trainer'), /another key/],
    ['its own key', () => keyPairOf('operator'), /another key/],
    [
      'an expired certificate',
      () => keyPairOf('server', SERVICE, Date.UTC(2000, 0, 1)),
      /has expired/,
    ],
    [
      'a future certificate of another role',
      () => datedKeyPair(Date.UTC(2090, 0, 1), Date.UTC(2091, 0, 1)),
      /another key/,
    ],
  ])('a server with %s, which gets no request', async (_, keys, message) => {
    const seen: string[] = [];
    const client = await pod((request, response) => {
      seen.push(request.url ?? '');
      response.end('{}');
    }, keys());
    const answer = await client.call({ method: 'PUT', path: '/v1/policy', body: 'secret' });
    expect(answer).toMatchObject({ ok: false, code: 'NoAnswer' });
    expect(!answer.ok && answer.message).toMatch(message);
    expect(seen).toEqual([]);
  });

  test('a server that speaks TLS 1.2 at most', async () => {
    const { privateKey: key, certificate: cert } = keyPairOf('server');
    const client = await listening(createTlsServer({ key, cert, maxVersion: 'TLSv1.2' }));
    const answer = await client.call(GET);
    expect(!answer.ok && answer.message).toMatch(/protocol version/);
  });
});

test('of connections that share a bound, those beyond it serve a call that follows at once and then end, and the pod is asked again all the same', async () => {
  const kept = createKeptSockets(1);
  const server = createTlsServer(
    { key: keyPairOf('server').privateKey, cert: keyPairOf('server').certificate },
    ({ url }, response) => setTimeout(() => response.end('{}'), url === SLOW.path ? 300 : 0),
  );
  let ended = 0;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => {
      ended += 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clients = createPodClients(ROOT_KEY, SERVICE, systemClock, kept);
  const [first, second] = [0, 1].map(() => clients.open({ host: '127.0.0.1', port }));
  open.push(server, first!, second!);
  const ask = async (client: AdminClient, call: AdminCall = GET): Promise<void> => {
    expect(await client.call(call)).toMatchObject({ ok: true, value: { status: 200 } });
  };
  for (const client of [first!, second!]) await ask(client);
  // However long its answer takes.
  await ask(second!, SLOW);
  expect(sockets.size).toBe(2);
  await eventually(() => {
    expect(ended).toBe(1);
  });
  for (const client of [second!, first!]) await ask(client);
  // One for the first client, which stays, and one for each time that the second had something to say.
  expect(sockets.size).toBe(3);
  expect(kept.size).toBe(1);
  first!.close();
  await eventually(() => {
    expect(kept.size).toBe(0);
  });
});
