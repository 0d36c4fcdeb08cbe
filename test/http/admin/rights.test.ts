// Every call of the admin port by every kind of caller: a call that is added stands in the table or fails here.
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../operator/clock.ts';
import type { KeyPair } from '../../../operator/fleet/identity/identities.ts';
import { createAdminApp, type AdminAppDependencies } from '../../../server/http/admin-app.ts';
import { SERVICE, datedKeyPair, keyPairOf, mountAdminKeys } from '../../support/admin-keys.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

const DAY_MS = 86_400_000;
const INPUTS = { LAYERCACHE_INPUT_MEMORY: '1Mi' };
const HEAD = `/v1/heads/sha256:${'a'.repeat(64)}`;

/** A drain comes last: it is for good. */
const CALLS = [
  { call: 'GET /v1/state', trainer: true },
  { call: 'GET /v1/samples?part=long', trainer: true },
  { call: 'GET /v1/inputs', trainer: true },
  { call: 'DELETE /v1/inputs', trainer: true },
  { call: 'GET /v1/evidence', trainer: false },
  { call: 'GET /v1/heads', trainer: false },
  { call: `PUT ${HEAD}`, trainer: false },
  { call: `GET ${HEAD}`, trainer: false },
  { call: `POST ${HEAD}`, trainer: false },
  { call: `DELETE ${HEAD}`, trainer: false },
  { call: 'PUT /v1/policy', trainer: false },
  { call: 'POST /v1/drain', trainer: false },
] as const;
/** Ways around a table: another spelling or method of a path that may be read. */
const NO_CALLS = [
  'GET /V1/STATE',
  'GET /v1/state/',
  'GET /v1/samples/../policy',
  'GET /v1/samples%2f..%2fpolicy',
  'POST /v1/samples',
  'PUT /v1/inputs',
  'GET /v1/inputs/',
  'DELETE /v1/state',
  'GET /',
] as const;

const mounted = mountAdminKeys();
let secured: TestServer;
let open: TestServer;
beforeAll(async () => {
  secured = await startTestServer({
    environment: { LAYERCACHE_ADMIN_DIR: mounted.dir, LAYERCACHE_BIND_HOST: '0.0.0.0', ...INPUTS },
  });
  open = await startTestServer({ environment: { LAYERCACHE_BIND_HOST: '0.0.0.0', ...INPUTS } });
});
afterAll(async () => {
  await Promise.all([secured.close(), open.close()]);
  mounted.remove();
});

interface Caller extends Partial<KeyPair> {
  readonly tls: boolean;
  readonly port: number;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxVersion?: 'TLSv1.2';
}

/** Status of a call, or the code of what cut it off. */
function ask(call: string, options: Caller): Promise<string> {
  const [method = '', path = ''] = call.split(' ');
  const { tls, privateKey, certificate, ...more } = options;
  return new Promise<string>((resolve) => {
    const settings = {
      host: '127.0.0.1',
      agent: false as const,
      method,
      path,
      rejectUnauthorized: false,
      key: privateKey,
      cert: certificate,
      ...more,
      headers: { 'content-length': 2, ...more.headers },
    };
    const outgoing = (tls ? secureRequest : plainRequest)(settings, (incoming) => {
      incoming.resume();
      resolve(String(incoming.statusCode));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    outgoing.end('{}');
  });
}

const CUT = /ECONNRESET|EPIPE|socket hang up|EPROTO|HPE_INVALID/;
const stranger = { ...SERVICE, serviceUid: 'other' };

test('the table has every call that the port knows', () => {
  interface Layer {
    readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
    readonly handle: { readonly stack?: readonly Layer[] };
  }
  const nothing = {} as AdminAppDependencies;
  const { router } = createAdminApp(nothing) as unknown as { router: { stack: readonly Layer[] } };
  const routes = router.stack.flatMap(({ handle }) => handle.stack ?? []);
  const calls = routes.flatMap(({ route }) =>
    Object.keys(route?.methods ?? {})
      .filter((method) => method !== '_all')
      .map((method) => `${method.toUpperCase()} ${route?.path ?? ''}`),
  );
  const listed = CALLS.map(({ call }) => call.replace(/\?.*/, '').replace(/sha256:a+$/, ':'));
  const known = calls.map((call) => call.replace(/\/:\w+$/, '/:'));
  expect(new Set(known)).toEqual(new Set(listed));
});

describe('with keys, is cut off before a byte of HTTP is answered, whatever it calls:', () => {
  const nobody: readonly [string, () => Partial<Caller>][] = [
    ['a caller without certificate', () => ({})],
    ['the operator of another service', () => keyPairOf('operator', stranger)],
    ['the trainer of another service', () => keyPairOf('trainer', stranger)],
    [
      'the operator of another generation',
      () => keyPairOf('operator', { ...SERVICE, generation: 9 }),
    ],
    ['a server of the service itself', () => keyPairOf('server')],
    [
      'the operator with an expired certificate',
      () => datedKeyPair(systemClock.nowMs() - 9 * DAY_MS, systemClock.nowMs() - DAY_MS),
    ],
    [
      'the operator with a certificate of tomorrow',
      () => datedKeyPair(systemClock.nowMs() + DAY_MS, systemClock.nowMs() + 9 * DAY_MS),
    ],
    ['the operator over TLS 1.2', () => ({ ...keyPairOf('operator'), maxVersion: 'TLSv1.2' })],
    ['plain HTTP', () => ({ tls: false })],
  ];
  test.each(nobody)('%s', async (_, caller) => {
    for (const call of [...CALLS.map((row) => row.call), ...NO_CALLS]) {
      const outcome = await ask(call, { tls: true, port: secured.admin, ...caller() });
      expect(`${call}: ${outcome}`).toMatch(CUT);
    }
  });
});

test('with keys, the trainer may read samples and state, read and delete inputs, and nothing else by any spelling', async () => {
  const caller = { tls: true, port: secured.admin, ...keyPairOf('trainer') };
  for (const { call, trainer } of CALLS) {
    const status = !trainer ? '403' : call.startsWith('DELETE') ? '204' : '200';
    expect(`${call}: ${await ask(call, caller)}`).toBe(`${call}: ${status}`);
  }
  for (const call of NO_CALLS) expect(`${call}: ${await ask(call, caller)}`).toBe(`${call}: 403`);
});

describe('without keys, the port is on loopback', () => {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

  test.skipIf(outside === undefined)(
    'where no other address of the machine reaches it',
    async () => {
      const caller = { tls: false, host: outside ?? '', port: open.admin };
      for (const { call } of CALLS) expect(await ask(call, caller)).toBe('ECONNREFUSED');
      expect(await ask('GET /v2', { ...caller, port: open.data })).toBe('200');
    },
  );

  test.each([
    ['a page of another site', { origin: 'https://example.com' }],
    ['a page in a frame without an origin', { origin: 'null' }],
    ['an image of a page', { 'sec-fetch-site': 'cross-site' }],
    ['a page whose name was turned to this address', { host: 'rebound.example.com' }],
    ['the same with this port', { host: 'rebound.example.com:8081' }],
  ])('refuses every call of %s', async (_, headers) => {
    for (const { call } of CALLS) {
      const outcome = await ask(call, { tls: false, port: open.admin, headers });
      expect(`${call}: ${outcome}`).toBe(`${call}: 403`);
    }
  });
});

/** 200, or a refusal of what was sent, not of who sent it. */
const MAY = /: (200|204|400|404|422)$/;

test('the operator may do everything but read inputs, over TLS; on loopback that too', async () => {
  const callers = [
    { tls: true, port: secured.admin, ...keyPairOf('operator') },
    { tls: false, port: open.admin },
    { tls: false, port: open.admin, headers: { host: `localhost:${open.admin}` } },
  ];
  for (const caller of callers) {
    for (const { call } of CALLS) {
      const isHeldBack = caller.tls && call.endsWith('/v1/inputs');
      expect(`${call}: ${await ask(call, caller)}`).toMatch(isHeldBack ? /: 403$/ : MAY);
    }
  }
});
