import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Api, KubeObject, WatchEvent } from '../../../../operator/kube/api.ts';
import { ApiStatusError } from '../../../../operator/kube/api-status-error.ts';
import { createClient } from '../../../../operator/kube/client.ts';
import { loadAccess, type ClusterAccess } from '../../../../operator/kube/cluster-access.ts';
import { eventually } from '../../../support/eventually.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../support/kube-clock.ts';
import {
  aConfigMap,
  answerJson,
  answerStatus,
  aStatus,
  kubeconfigFor,
  reset,
  silence,
  startFakeApiServer,
  watchOf,
  type FakeApiServer,
} from '../../../support/kube-fake-server.ts';

let server: FakeApiServer;
let access: ClusterAccess;
let clock: FakeKubeClock;
let api: Api;

beforeEach(async () => {
  server = await startFakeApiServer();
  access = loadAccess({ from: 'Text', kubeconfig: server.kubeconfig });
  clock = fakeKubeClock();
  api = createClient({ access, clock, budget: null });
});

afterEach(async () => {
  access.close();
  await server.close();
});

const REF = { kind: 'ConfigMap', namespace: 'ns', name: 'a' } as const;

async function failureOf(call: Promise<unknown>): Promise<ApiStatusError> {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ApiStatusError);
  return error as ApiStatusError;
}

function watchFrom(
  resourceVersion: string,
  onEvent: (event: WatchEvent) => void,
  signal = new AbortController().signal,
): Promise<void> {
  return api.watch('ConfigMap', { resourceVersion, timeoutSeconds: 300, signal }, onEvent);
}

test('an object comes back as the JSON that was sent, with times as strings', async () => {
  const sent = {
    ...aConfigMap('a', '7'),
    metadata: { name: 'a', namespace: 'ns', creationTimestamp: '2026-11-25T10:00:00Z' },
    unknownField: { kept: [1, 2] },
  };
  server.script(
    'call',
    answerJson(200, () => sent),
  );
  expect(await api.get(REF)).toEqual(sent);
  expect(server.requests[0]).toMatchObject({
    method: 'GET',
    path: '/api/v1/namespaces/ns/configmaps/a',
  });
  expect(server.requests[0]!.headers.authorization).toBe('Bearer secret-token');
});

test('a list reads all pages and names the kind of each item', async () => {
  const page = (names: string[], next: string) =>
    answerJson(200, () => ({
      metadata: { resourceVersion: '9', continue: next },
      items: names.map((name) => ({
        ...aConfigMap(name, '5'),
        apiVersion: undefined,
        kind: undefined,
      })),
    }));
  server.script('list', page(['a', 'b'], 'token-1'));
  server.script('list', page(['c'], ''));
  const list = await api.list('ConfigMap', { labelSelector: 'x=y', pageSize: 2 });
  expect(list.resourceVersion).toBe('9');
  expect(
    list.items.map(({ apiVersion, kind, metadata }) => [apiVersion, kind, metadata.name]),
  ).toEqual([
    ['v1', 'ConfigMap', 'a'],
    ['v1', 'ConfigMap', 'b'],
    ['v1', 'ConfigMap', 'c'],
  ]);
  expect(
    server.requests.map(({ path, query }) => [
      path,
      query.get('limit'),
      query.get('continue'),
      query.get('labelSelector'),
    ]),
  ).toEqual([
    ['/api/v1/configmaps', '2', null, 'x=y'],
    ['/api/v1/configmaps', '2', 'token-1', 'x=y'],
  ]);
});

test('what is to be kept of an object is asked page by page, so that a long list is never whole in memory', async () => {
  const pages = [['a', 'b'], ['c']];
  for (const [i, names] of pages.entries()) {
    const next = i === 0 ? 'token-1' : '';
    const items = names.map((name) => ({ ...aConfigMap(name, '5'), data: { big: 'x' } }));
    const page = { metadata: { resourceVersion: '9', continue: next }, items };
    server.script(
      'list',
      answerJson(200, () => page),
    );
  }
  const asked: [string, pages: number][] = [];
  const list = await api.list('ConfigMap', {
    pageSize: 2,
    keep: ({ apiVersion, kind, metadata }) => {
      asked.push([metadata.name, server.requests.length]);
      return metadata.name === 'b' ? null : { apiVersion, kind, metadata };
    },
  });
  expect(asked).toEqual([
    ['a', 1],
    ['b', 1],
    ['c', 2],
  ]);
  expect(list.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'c']);
  expect(list.items[0]).not.toHaveProperty('data');
});

test('a list of metadata without objects has null for its items, which is none', async () => {
  server.script(
    'list',
    answerJson(200, () => ({ items: null, metadata: { resourceVersion: '9' } })),
  );
  const list = await api.list('ConfigMap', { metadataOnly: true });
  expect(list).toEqual({ items: [], resourceVersion: '9' });
});

test('each answer is told, also that there was none', async () => {
  const told: unknown[] = [];
  const answered = (...answer: unknown[]): void => {
    told.push(answer);
  };
  const metered = createClient({ access: { ...access, answered }, clock, budget: null });
  server.script('call', answerStatus(404, 'NotFound'));
  await failureOf(metered.get(REF));
  server.script('call', reset);
  await failureOf(metered.get(REF));
  const ended = new AbortController();
  server.script('call', silence);
  const call = failureOf(metered.get(REF, { signal: ended.signal }));
  ended.abort();
  await call;
  expect(told).toEqual([
    ['GET', 404],
    ['GET', null],
  ]);
});

test('a list of metadata asks for partial objects', async () => {
  await api.list('ConfigMap', { metadataOnly: true });
  expect(server.requests[0]!.headers.accept).toBe(
    'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  );
});

test('an apply is a server-side apply with its manager and force, whatever the kind', async () => {
  const body: KubeObject = {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name: 'm', namespace: 'ns' },
    status: {},
  };
  await api.apply(body, {
    fieldManager: 'layercache-operator',
    subresource: 'status',
    dryRun: true,
  });
  const request = server.requests[0]!;
  expect(request).toMatchObject({
    method: 'PATCH',
    path: '/apis/layercache.io/v1alpha1/namespaces/ns/cachedmodelservices/m/status',
  });
  expect(Object.fromEntries(request.query)).toEqual({
    fieldManager: 'layercache-operator',
    force: 'true',
    dryRun: 'All',
  });
  expect(request.headers['content-type']).toBe('application/apply-patch+yaml');
  expect(JSON.parse(request.body)).toEqual(body);
});

test('a merge patch names its strategy, so it is never taken for a JSON patch', async () => {
  await api.mergePatch(REF, { data: { a: '1' } });
  expect(server.requests[0]!.headers['content-type']).toBe('application/merge-patch+json');
});

test('a delete always sends its propagation, and preconditions when given', async () => {
  expect(await api.delete(REF)).toBe('Deleted');
  await api.delete(REF, { uid: 'u', resourceVersion: '3' });
  expect(server.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
    {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      preconditions: { uid: 'u', resourceVersion: '3' },
    },
  ]);
});

test('deleting what is gone is an outcome, deleting what changed is an error', async () => {
  server.script('call', answerStatus(404, 'NotFound'));
  expect(await api.delete(REF)).toBe('Gone');
  server.script('call', answerStatus(409, 'Conflict'));
  expect((await failureOf(api.delete(REF, { uid: 'old' }))).isConflict).toBe(true);
});

test.each([
  [404, 'NotFound', 'isNotFound'],
  [409, 'Conflict', 'isConflict'],
  [409, 'AlreadyExists', 'isAlreadyExists'],
  [410, 'Expired', 'isExpired'],
  [403, 'Forbidden', 'isForbidden'],
  [422, 'Invalid', 'isInvalid'],
  [400, 'BadRequest', 'isInvalid'],
  [504, 'Timeout', 'isUncertain'],
] as const)('status %i with reason %s is told apart as %s alone', async (code, reason, flag) => {
  server.script('call', answerStatus(code, reason, 'what went wrong'));
  const error = await failureOf(api.get(REF));
  const flags = [
    'isNotFound',
    'isConflict',
    'isAlreadyExists',
    'isExpired',
    'isForbidden',
    'isInvalid',
    'isSchemaMismatch',
    'isUncertain',
    'isAborted',
  ] as const;
  expect(flags.filter((name) => error[name])).toEqual([flag]);
  expect(error.message).toBe(`get configmaps ns/a: ${code} ${reason}: what went wrong`);
});

test('500 without a reason that speaks of an undeclared field or a value is the body at fault, not the server', async () => {
  for (const words of [
    'failed to create typed patch object (ns/a; v1, Kind=ConfigMap): .typo: field not declared in schema',
    'failed to convert new object (ns/a; apps/v1, Kind=Deployment) to proper version: unable to convert unstructured object to apps/v1, Kind=Deployment: quantities must match the regular expression',
  ]) {
    server.script('call', answerStatus(500, '', words));
    const error = await failureOf(api.get(REF));
    expect(error).toMatchObject({ isSchemaMismatch: true, isInvalid: true, isUncertain: false });
  }
  server.script('call', answerStatus(500, 'InternalError', 'etcdserver: leader changed'));
  expect(await failureOf(api.get(REF))).toMatchObject({
    isSchemaMismatch: false,
    isUncertain: true,
  });
});

test('an error is one line without headers or token, also from a proxy that speaks HTML', async () => {
  server.script('call', (response) => {
    response.writeHead(502, { 'content-type': 'text/html', 'x-secret': 'hidden' });
    response.end(`<html>\n<b>Bad gateway</b>\n${'x'.repeat(2_000)}</html>`);
  });
  const { message } = await failureOf(api.get(REF));
  expect(message).toMatch(/^get configmaps ns\/a: 502: <html> <b>Bad gateway<\/b> x+\.\.\.$/);
  expect(message.length).toBeLessThan(600);
  expect(message).not.toMatch(/hidden|secret-token/);
});

test.each([
  ['in the header', answerStatus(429, 'TooManyRequests', 'slow down', { 'retry-after': '7' })],
  [
    'in the body',
    answerJson(429, () => ({
      kind: 'Status',
      code: 429,
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 7 },
    })),
  ],
])('the wait that a refusal asks for is kept when it is %s', async (_, responder) => {
  server.script('call', responder);
  expect((await failureOf(api.get(REF))).retryAfterSeconds).toBe(7);
});

test('a Retry-After that is no number of seconds is no wait', async () => {
  server.script(
    'call',
    answerStatus(503, 'ServiceUnavailable', 'x', {
      'retry-after': 'Wed, 25 Nov 2026 10:00:00 GMT',
    }),
  );
  expect((await failureOf(api.get(REF))).retryAfterSeconds).toBeNull();
});

test('the causes of a refusal are kept', async () => {
  server.script(
    'call',
    answerJson(403, () => ({
      kind: 'Status',
      reason: 'Forbidden',
      message: 'namespace is being terminated',
      details: {
        causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace', message: 'm' }],
      },
    })),
  );
  expect((await failureOf(api.create(aConfigMap('a', '')))).isNamespaceTerminating).toBe(true);
});

test('a server that never answers is given up at the deadline', async () => {
  server.script('call', silence);
  const call = failureOf(api.get(REF));
  await eventually(() => {
    expect(server.requests).toHaveLength(1);
  });
  await clock.pass(30_000);
  expect(await call).toMatchObject({ status: 0, reason: 'DeadlineExceeded', isUncertain: true });
});

test('the deadline also ends an answer that never comes to its end', async () => {
  server.script('call', (response) => {
    response.writeHead(200);
    response.write('{"apiVersion"');
  });
  const call = failureOf(api.get(REF, { deadlineMs: 500 }));
  await eventually(() => {
    expect(server.requests).toHaveLength(1);
  });
  await clock.pass(500);
  expect((await call).reason).toBe('DeadlineExceeded');
});

test('a call leaves no alarm behind', async () => {
  await api.get(REF).catch(() => undefined);
  expect(clock.alarms).toBe(0);
});

test('a caller that gives up gets an error that says so', async () => {
  server.script('call', silence);
  const caller = new AbortController();
  const call = failureOf(api.get(REF, { signal: caller.signal }));
  await eventually(() => {
    expect(server.requests).toHaveLength(1);
  });
  caller.abort();
  expect((await call).isAborted).toBe(true);
  expect((await failureOf(api.get(REF, { signal: caller.signal }))).isAborted).toBe(true);
  expect(server.requests).toHaveLength(1);
});

test('a reset, a refused connection and an answer without JSON are no answers', async () => {
  server.script('call', reset);
  expect(await failureOf(api.get(REF))).toMatchObject({ status: 0, reason: 'NoAnswer' });
  server.script('call', (response) => response.end('ok'));
  expect((await failureOf(api.get(REF))).message).toContain('200 without JSON');
  await server.close();
  expect(await failureOf(api.get(REF))).toMatchObject({ reason: 'NoAnswer', isUncertain: true });
});

test('calls one after the other share a connection', async () => {
  for (let i = 0; i < 5; i++) await api.list('ConfigMap');
  expect(server.connections).toBe(1);
});

test('plain HTTP is refused unless the cluster entry says to skip verification', () => {
  expect(() => loadAccess({ from: 'Text', kubeconfig: kubeconfigFor('not a url') })).toThrow(
    'The kubeconfig names no API server (not a url)',
  );
});

test('plain HTTP to a cluster that is to be verified is no answer, and nothing is sent', async () => {
  const address = JSON.parse(server.kubeconfig) as { clusters: { cluster: { server: string } }[] };
  const strict = loadAccess({
    from: 'Text',
    kubeconfig: kubeconfigFor(address.clusters[0]!.cluster.server, false),
  });
  const error = await failureOf(createClient({ access: strict, clock, budget: null }).get(REF));
  expect(error.message).toContain('no credentials: HTTP protocol is not allowed');
  expect(server.requests).toHaveLength(0);
});

test('a watch delivers changes and bookmarks in order and resolves at its clean end', async () => {
  server.script(
    'watch',
    watchOf([
      { type: 'ADDED', object: { metadata: { name: 'a', namespace: 'ns' } } },
      { type: 'MODIFIED', object: aConfigMap('a', '5') },
      { type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata: { resourceVersion: '8' } } },
      { type: 'DELETED', object: aConfigMap('a', '9') },
    ]),
  );
  const events: WatchEvent[] = [];
  await watchFrom('4', (event) => events.push(event));
  expect(
    events.map((event) => (event.type === 'BOOKMARK' ? event.resourceVersion : event.object.kind)),
  ).toEqual(['ConfigMap', 'ConfigMap', '8', 'ConfigMap']);
  expect(Object.fromEntries(server.requests[0]!.query)).toEqual({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: '4',
    timeoutSeconds: '300',
  });
});

test('an event cut anywhere, also inside a character, arrives whole', async () => {
  const events: WatchEvent[] = [];
  const watching = watchFrom('1', (event) => events.push(event));
  await eventually(() => {
    expect(server.watches).toHaveLength(1);
  });
  const bytes = Buffer.from(
    `${JSON.stringify({ type: 'ADDED', object: { ...aConfigMap('a', '2'), data: { text: 'größer' } } })}\n`,
  );
  for (const byte of bytes) server.watches[0]!.sendRaw(Uint8Array.of(byte));
  await eventually(() => {
    expect(events).toMatchObject([{ object: { data: { text: 'größer' } } }]);
  });
  server.watches[0]!.end();
  await watching;
});

test('an ERROR event ends the watch with its code and reason', async () => {
  server.script(
    'watch',
    watchOf([{ type: 'ERROR', object: aStatus(410, 'Expired', 'too old resource version') }]),
  );
  expect(await failureOf(watchFrom('1', () => undefined))).toMatchObject({
    isExpired: true,
    status: 410,
  });
});

test('a refused watch, a torn one, one cut inside an event and one that is no JSON all throw', async () => {
  server.script('watch', answerStatus(410, 'Gone'));
  expect((await failureOf(watchFrom('1', () => undefined))).isExpired).toBe(true);
  for (const [sent, end] of [
    ['', 'reset'],
    ['{"type":"ADDED"', 'end'],
    ['no JSON\n', 'stay'],
    ['{"type":"MOVED","object":{}}\n', 'stay'],
  ] as const) {
    const watching = failureOf(watchFrom('1', () => undefined));
    const count = server.watches.length;
    await eventually(() => {
      expect(server.watches.length).toBe(count + 1);
    });
    server.watches[count]!.sendRaw(sent);
    if (end === 'reset') server.watches[count]!.reset();
    if (end === 'end') server.watches[count]!.end();
    expect((await watching).reason).toBe('NoAnswer');
  }
});

test('what a handler throws ends the watch as it is and closes the connection', async () => {
  const watching = watchFrom('1', () => {
    throw new RangeError('of the handler');
  });
  await eventually(() => {
    expect(server.watches).toHaveLength(1);
  });
  server.watches[0]!.send({ type: 'ADDED', object: aConfigMap('a', '2') });
  await expect(watching).rejects.toThrow(RangeError);
  await eventually(() => {
    expect(server.watches[0]!.isOpen).toBe(false);
  });
});

test('ending a watch closes its connection', async () => {
  const caller = new AbortController();
  const watching = failureOf(watchFrom('1', () => undefined, caller.signal));
  await eventually(() => {
    expect(server.watches).toHaveLength(1);
  });
  caller.abort();
  expect((await watching).isAborted).toBe(true);
  await eventually(() => {
    expect(server.watches[0]!.isOpen).toBe(false);
  });
});
