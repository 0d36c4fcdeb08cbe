import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../operator/clock.ts';
import type { AdminClient } from '../../../operator/fleet/admin-client.ts';
import type { KeyPair } from '../../../operator/fleet/identity/identities.ts';
import { createKeptSockets } from '../../../operator/fleet/kept-sockets.ts';
import { createPodClients } from '../../../operator/fleet/pod-client.ts';
import { pullEvidence } from '../../../operator/fleet/pull-evidence.ts';
import { pullState } from '../../../operator/fleet/pull-state.ts';
import { pushHeads } from '../../../operator/fleet/push-heads.ts';
import { pushPolicy } from '../../../operator/fleet/push-policy.ts';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import {
  ROOT_KEY,
  SERVICE,
  keyPairOf,
  mountAdminKeys,
  writeAdminKeys,
} from '../../support/admin-keys.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestServer } from '../../support/test-server.ts';
import {
  aPolicy,
  aTrack,
  digestOf,
  fakeBundle,
  startTestServer,
} from '../../support/test-server.ts';

const mounted = mountAdminKeys();
let server: TestServer;
const clients: AdminClient[] = [];

beforeAll(async () => {
  server = await startTestServer({ environment: { LAYERCACHE_ADMIN_DIR: mounted.dir } });
});
afterAll(async () => {
  await server.close();
  mounted.remove();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function operatorOf(of = SERVICE, root = ROOT_KEY, port = server.admin): AdminClient {
  const client = createPodClients(root, of, systemClock, createKeptSockets(16)).open({
    host: '127.0.0.1',
    port,
  });
  clients.push(client);
  return client;
}

/** Status of a call by any key, or the error that ended it. */
function callAs(keys: Partial<KeyPair>, method: string, path: string, body = ''): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: server.admin,
        method,
        path,
        agent: false,
        rejectUnauthorized: false,
        key: keys.privateKey,
        cert: keys.certificate,
        headers: { 'content-length': Buffer.byteLength(body) },
      },
      (incoming) => {
        incoming.resume();
        resolve(String(incoming.statusCode));
      },
    );
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    outgoing.end(body);
  });
}

const CUT = /ECONNRESET|EPIPE|socket hang up/;

test('the operator of the service does everything over one kept connection', async () => {
  const client = operatorOf();
  const bytes = encodeHeadBundle(fakeBundle(2));
  const headRevision = digestOf(bytes);
  expect(await pushHeads(client, headRevision, bytes)).toEqual({ ok: true, value: null });
  const applied = await pushPolicy(client, aPolicy({ stable: aTrack(headRevision) }));
  expect(applied).toMatchObject({ ok: true, value: { result: 'Applied', revision: 1 } });
  const state = await pullState(client);
  expect(state).toMatchObject({ ok: true, value: { podUid: 'pod-1' } });
  const evidence = await pullEvidence(client, 0, true);
  expect(evidence).toMatchObject({
    ok: true,
    value: { answer: { acknowledgement: { revision: 1 } } },
  });
});

test('a new leader, which knows only the root key, is let in at once', async () => {
  expect((await pullState(operatorOf())).ok).toBe(true);
});

describe('the operator speaks to nobody else', () => {
  test('a server of another service at that address gets no request', async () => {
    const answer = await pullState(operatorOf({ ...SERVICE, serviceUid: 'other' }));
    expect(answer).toMatchObject({ ok: false, code: 'NoAnswer' });
    expect(!answer.ok && answer.message).toMatch(/another key answers there/);
  });

  test('a server of another generation is refused until the client knows it', async () => {
    const next = { ...SERVICE, generation: 2 };
    const rotated = mountAdminKeys(next);
    const other = await startTestServer({ environment: { LAYERCACHE_ADMIN_DIR: rotated.dir } });
    expect((await pullState(operatorOf(SERVICE, ROOT_KEY, other.admin))).ok).toBe(false);
    expect((await pullState(operatorOf(next, ROOT_KEY, other.admin))).ok).toBe(true);
    expect((await pullState(operatorOf(SERVICE))).ok).toBe(true);
    await other.close();
    rotated.remove();
  });

  test('another root key opens nothing', async () => {
    expect((await pullState(operatorOf(SERVICE, new Uint8Array(32)))).ok).toBe(false);
  });
});

describe('keys that are not mounted', () => {
  test('keep the port on loopback, where it needs none, until they come', async () => {
    const late = mountAdminKeys();
    const [parked] = readdirSync(late.dir).filter((name) => name === 'peers.json');
    const aside = `${late.dir}.json`;
    renameSync(join(late.dir, parked!), aside);
    const own = await startTestServer({ environment: { LAYERCACHE_ADMIN_DIR: late.dir } });
    expect((await own.state()).podUid).toBe('pod-1');
    renameSync(aside, join(late.dir, 'peers.json'));
    await eventually(async () => {
      const answer = await pullState(operatorOf(SERVICE, ROOT_KEY, own.admin));
      if (!answer.ok) throw new Error(answer.message);
    }, 15_000);
    await own.close();
    late.remove();
  });

  test.each<[string, (dir: string) => void]>([
    [
      'a right that does not exist',
      (dir) => {
        writeFileSync(join(dir, 'peers.json'), '{"schemaVersion":1,"peers":[{"role":"x"}]}');
      },
    ],
    [
      'a key that is no key',
      (dir) => {
        writeFileSync(join(dir, 'tls.key'), 'secret');
      },
    ],
    [
      'a certificate of another key',
      (dir) => {
        writeFileSync(join(dir, 'tls.crt'), keyPairOf('trainer').certificate);
      },
    ],
    [
      'a certificate that is missing',
      (dir) => {
        rmSync(join(dir, 'tls.crt'));
      },
    ],
  ])('or that are damaged, %s, never open the port to others', async (_, damage) => {
    const damaged = mountAdminKeys();
    writeAdminKeys(damaged.dir);
    damage(damaged.dir);
    const own = await startTestServer({ environment: { LAYERCACHE_ADMIN_DIR: damaged.dir } });
    expect((await own.state()).podUid).toBe('pod-1');
    expect((await pullState(operatorOf(SERVICE, ROOT_KEY, own.admin))).ok).toBe(false);
    await own.close();
    damaged.remove();
  });
});

test('two hundred failed handshakes leave the port answering', async () => {
  const attempts = Array.from({ length: 200 }, (_, i) =>
    callAs(
      i % 2 === 0 ? {} : keyPairOf('operator', { serviceUid: String(i), generation: 1 }),
      'GET',
      '/',
    ),
  );
  for (const outcome of await Promise.all(attempts)) expect(outcome).toMatch(CUT);
  expect((await pullState(operatorOf())).ok).toBe(true);
});
