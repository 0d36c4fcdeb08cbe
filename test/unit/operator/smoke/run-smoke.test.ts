import { expect, test } from 'vitest';
import { readService } from '../../../../crds/v1alpha1/read-object.ts';
import { readServiceStatus } from '../../../../crds/v1alpha1/service-status.ts';
import { CliError } from '../../../../operator/errors.ts';
import type { Api, KubeObject } from '../../../../operator/kube/api.ts';
import { ApiStatusError } from '../../../../operator/kube/api-status-error.ts';
import { runSmoke } from '../../../../operator/smoke/run-smoke.ts';
import { createSmokeCluster } from '../../../../operator/smoke/smoke-cluster.ts';
import { smokeService } from '../../../../operator/smoke/smoke-service.ts';
import { fakeKubeClock } from '../../../support/kube-clock.ts';

const PLACE = { namespace: 'ml', name: 'demo-smoke' };
const METRICS = `# TYPE layercache_requests_total counter
layercache_requests_total{protocol="v2",code="ok",model="demo-smoke"} 3
layercache_requests_total{protocol="v2",code="queue_full",model="demo-smoke"} 4
`;
const READY = {
  readyReplicas: 1,
  policy: { epoch: 2, revision: 1, appliedReplicas: 1 },
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      observedGeneration: 1,
      lastTransitionTime: '2026-11-26T00:00:00Z',
      reason: 'Ready',
      message: 'Ready.',
    },
  ],
};

const condition = (type: string, status: string, message: string): object => ({
  ...READY.conditions[0],
  ...{ type, status, message },
});

interface World {
  readonly kinds?: readonly string[];
  readonly status?: object;
  readonly answers?: Readonly<Record<string, unknown>>;
  readonly metrics?: string;
  readonly pods?: readonly object[];
  /** Before the test: a service that an earlier one left. */
  readonly isLeftOver?: boolean;
  readonly onCreate?: () => ApiStatusError | null;
}

/** An API server with one service, and its endpoint, as good as the world says. */
function aWorld(world: World): {
  tools: Parameters<typeof createSmokeCluster>[0];
  objects: Map<string, KubeObject>;
  calls: string[];
} {
  const objects = new Map<string, KubeObject>();
  const calls: string[] = [];
  if (world.isLeftOver === true) objects.set(PLACE.name, smokeService(PLACE.namespace, PLACE.name));
  const api = {
    get: ({ name }: { name: string }) => {
      const found = objects.get(name);
      const error = new ApiStatusError({
        status: 404,
        reason: 'NotFound',
        detail: '',
        call: 'get',
      });
      return found === undefined ? Promise.reject(error) : Promise.resolve(found);
    },
    create: (object: KubeObject) => {
      const error = world.onCreate?.() ?? null;
      if (error !== null) return Promise.reject(error);
      const metadata = { ...object.metadata, generation: 1 };
      objects.set(object.metadata.name, { ...object, metadata, status: world.status ?? READY });
      return Promise.resolve(object);
    },
    delete: ({ name }: { name: string }) =>
      Promise.resolve(objects.delete(name) ? ('Deleted' as const) : ('Gone' as const)),
    list: (kind: string, options: { labelSelector: string }) => {
      calls.push(`list ${kind} ${options.labelSelector}`);
      const items = world.pods ?? [{ metadata: { name: 'a' }, status: { podIP: '10.0.0.7' } }];
      return Promise.resolve({ items, resourceVersion: '1' });
    },
  };
  const answers: Readonly<Record<string, unknown>> = {
    '/v2/models/smoke': { inputs: [{ name: 'x', shape: [-1, 2, 2], datatype: 'FP32' }] },
    '/v2/models/smoke/infer': { outputs: [{ data: [0.25, 0.75] }] },
    '/v1/models/smoke:predict': { predictions: [[0.25, 0.7500001]] },
    ...world.answers,
  };
  const fetchUrl = (url: string, init?: RequestInit): Promise<Response> => {
    calls.push(`${url} ${typeof init?.body === 'string' ? init.body : ''}`.trim());
    if (url.endsWith('/metrics')) return Promise.resolve(new Response(world.metrics ?? METRICS));
    const answer = answers[new URL(url).pathname];
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve(new Response(JSON.stringify(answer)));
  };
  const kinds = world.kinds ?? ['CachedModelService', 'CacheHeadRevision'];
  const resources = kinds.flatMap((kind) => [
    { kind, name: kind.toLowerCase() },
    { kind: 'Scale', name: `${kind.toLowerCase()}/scale` },
  ]);
  const discover = (): Promise<string> => Promise.resolve(JSON.stringify({ resources }));
  return { tools: { api: api as unknown as Api, discover, fetch: fetchUrl }, objects, calls };
}

async function smoke(world: World, interrupt = new AbortController().signal) {
  const { tools, objects, calls } = aWorld(world);
  const clock = fakeKubeClock();
  const lines: string[] = [];
  const run = runSmoke({
    ...{ clock, interrupt, deadlineMs: 60_000 },
    cluster: createSmokeCluster(tools, PLACE),
    print: (line) => lines.push(line),
  }).then(
    () => null,
    (error: unknown) => error as CliError,
  );
  const progress = { isOver: false };
  void run.then(() => (progress.isOver = true));
  while (!progress.isOver) await clock.pass(1_000);
  return { error: await run, lines, objects, calls };
}

test('the service of the test is valid', () => {
  expect(readService(smokeService('ml', 'demo-smoke')).ok).toBe(true);
});

test('a healthy installation passes with one line per step and nothing left', async () => {
  const { error, lines, objects, calls } = await smoke({ isLeftOver: true });
  expect(error).toBeNull();
  expect(lines.map((line) => line.replace(/ \([\d.]+ s\)$/, ''))).toEqual([
    'ok    both kinds are served: CachedModelService, CacheHeadRevision',
    'ok    the service is created: ml/demo-smoke',
    'ok    the service is Ready: 1 pods ready',
    'ok    a v2 request is answered: 2 numbers',
    'ok    a v1 request gets the same answer: 2 numbers',
    'ok    its requests stand in /metrics: 3 requests in 1 pods',
    'ok    every pod has acknowledged the policy: epoch 2, revision 1',
    'ok    the service is deleted: gone',
  ]);
  expect(objects.size).toBe(0);
  expect(calls).toContain(
    'http://demo-smoke.ml.svc:80/v1/models/smoke:predict {"instances":[[[0,0],[0,0]]]}',
  );
  expect(calls).toContain(
    'list Pod layercache.io/service=demo-smoke,app.kubernetes.io/component=server',
  );
  expect(calls).toContain('http://10.0.0.7:9090/metrics');
});

test.each<readonly [string, World, string, string]>([
  [
    'without the definitions',
    { kinds: ['CachedModelService'] },
    'SmokeFailed',
    'the API server does not know CacheHeadRevision: install the chart with crds.install=true',
  ],
  [
    'a refused service',
    {
      onCreate: () =>
        new ApiStatusError({ status: 403, reason: 'Forbidden', detail: 'no', call: 'create' }),
    },
    'SmokeFailed',
    'Forbidden',
  ],
  [
    'a service that nobody looks at',
    { status: {} },
    'SmokeTimedOut',
    'the operator has not reported on it: is its pod ready, and does it watch this namespace?',
  ],
  [
    'a service that does not become ready',
    { status: { conditions: [condition('Ready', 'False', 'No pod fits.')] } },
    'SmokeTimedOut',
    'Ready is False: No pod fits.',
  ],
  [
    'a service that the operator refuses',
    { status: { conditions: [condition('Valid', 'False', 'A name is taken.')] } },
    'SmokeFailed',
    'Valid is False: A name is taken.',
  ],
  [
    'an endpoint that does not answer',
    { answers: { '/v2/models/smoke': new TypeError('failed', { cause: new Error('refused') }) } },
    'SmokeTimedOut',
    'no answer: refused',
  ],
  [
    'an answer without numbers',
    { answers: { '/v2/models/smoke/infer': { outputs: [] } } },
    'SmokeFailed',
    'the answer holds no numbers: {"outputs":[]}',
  ],
  [
    'protocols that disagree',
    { answers: { '/v1/models/smoke:predict': { predictions: [[1, 0]] } } },
    'SmokeFailed',
    'the protocols disagree: v2 says 0.25 0.75, v1 says 1 0',
  ],
  [
    'a page that is none',
    { metrics: `${METRICS}<html>` },
    'SmokeFailed',
    '/metrics has a line that is no metric: <html>',
  ],
  [
    'requests that are not counted',
    { metrics: METRICS.replace(' 3\n', ' 0\n') },
    'SmokeTimedOut',
    'no pod has counted the requests that were answered',
  ],
  [
    'a service without pods',
    { pods: [{ metadata: { name: 'a' } }] },
    'SmokeTimedOut',
    'the service has no pod with an address',
  ],
  [
    'a pod that has no policy',
    { status: { ...READY, policy: { epoch: 2, revision: 1, appliedReplicas: 0 } } },
    'SmokeTimedOut',
    '0 of 1 pods have: does a network policy keep the operator from port 8081?',
  ],
])('%s fails the test, and its service is taken away', async (_, world, code, why) => {
  const { error, lines, objects } = await smoke(world);
  expect(error).toBeInstanceOf(CliError);
  expect(error?.code).toBe(code);
  expect(lines.at(-1)).toMatch(/^FAIL {2}/);
  expect(lines.at(-1)).toContain(why);
  expect(objects.size).toBe(0);
});

test('a test that is told to end takes its service away first', async () => {
  const controller = new AbortController();
  const world: World = {
    get status() {
      controller.abort();
      return {};
    },
  };
  const { error, objects } = await smoke(world, controller.signal);
  expect(error?.message).toContain('it was told to end');
  expect(objects.size).toBe(0);
});

test('the status that the test reads is read as the operator writes it', () => {
  expect(readServiceStatus(READY).readyReplicas).toBe(1);
});
