// What users of other systems asked for, as far as one server shows it. The list of all asks and where each is tested:
// test/unit/house/user-asks.ts.
import { afterEach, expect, test } from 'vitest';
import { parsePodState } from '../../../crds/wire/loading-state.ts';
import { createBackboneEngine } from '../../../server/backbone/backbone-engine.ts';
import { createLoadProgress } from '../../../server/backbone/load-progress.ts';
import { EngineError } from '../../../server/engine/engine-error.ts';
import { createMetricRegistry } from '../../../server/metrics.ts';
import { createServerMetrics } from '../../../server/server-metrics.ts';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeEngine, type FakeEngine } from '../../support/fake-engine.ts';
import {
  EASY,
  MODEL,
  aPolicy,
  aTrack,
  digestOf,
  fakeBundle,
  send,
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from '../../support/test-server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  servers.push(server);
  return server;
}

/** [startup, readiness, liveness] */
async function probes({ metrics }: TestServer): Promise<number[]> {
  const paths = ['/startupz', '/readyz', '/livez'];
  return Promise.all(paths.map(async (path) => (await send(metrics, path)).status));
}

test('knative-extensions/serving-progressive-rollout#204 CUDA out of memory while the old pod of a roll still has it is tried again in the pod, which starts once it is free', async () => {
  // One card, and the pod that is to go has its memory.
  const card = { isFree: false };
  const waitsMs: number[] = [];
  const progress = createLoadProgress();
  const engines: FakeEngine[] = [];
  const engine = createBackboneEngine({
    isPatient: true,
    progress,
    random: () => 0.5,
    // A thousand times faster than in a pod.
    retry: { firstMs: 1, mostOnTheWayMs: 60, mostMs: 300 },
    obtain: () => Promise.resolve('/models/fake.onnx'),
    createEngine: () => {
      const one = createFakeEngine();
      if (!card.isFree) {
        one.startError = new EngineError('EngineFailed', 'CUDA failure 2: out of memory');
      }
      engines.push(one);
      return one;
    },
    onFailure: (_, retryMs) => waitsMs.push(retryMs),
  });
  const pod = await start({ engine: engine as FakeEngine, progress, isStarted: false });
  const started = pod.server.start();
  await eventually(() => {
    expect(waitsMs.length).toBeGreaterThan(5);
  });
  // No probe restarts it, no request reaches it, and it says why.
  expect(await probes(pod)).toEqual([200, 503, 200]);
  const told = parsePodState((await send(pod.admin, '/v1/state')).body.toString());
  expect(told).toMatchObject({
    ok: true,
    value: {
      loaded: false,
      state: { loading: { failure: { message: 'CUDA failure 2: out of memory' } } },
    },
  });
  // In the two minutes that an old pod may take to go it is tried several times.
  const triesAtMs = waitsMs.map((_, i) => waitsMs.slice(0, i + 1).reduce((a, b) => a + b));
  expect(triesAtMs.filter((atMs) => atMs < 120).length).toBeGreaterThanOrEqual(5);
  card.isFree = true;
  await started;
  expect(await probes(pod)).toEqual([200, 200, 200]);
  expect((await pod.ask([EASY])).outputs).not.toEqual([]);
  expect(engines.length).toBe(waitsMs.length + 1);
});

test('triton-inference-server/server#4422 parameters change by a policy, without a reload', async () => {
  const pod = await start();
  const rows = Array.from({ length: 200 }, () => EASY);
  expect((await pod.infer(rows)).status).toBe(200);
  const { bootId, backbone } = await pod.state();
  const limits = { ...DEFAULT_LIMITS, maxRequestBytes: 2_000 };
  expect((await pod.apply(aPolicy({ exits: [], limits }))).result).toBe('Applied');
  expect((await pod.infer(rows)).status).toBe(413);
  expect(await pod.state()).toMatchObject({ bootId, backbone });
  expect(await probes(pod)).toEqual([200, 200, 200]);
});

test('tensorflow/serving#1519 a policy is answered with what became of it: applied, had already, too old, or refused and why', async () => {
  const pod = await start();
  const policy = aPolicy({ revision: 2 });
  expect(await pod.apply(policy)).toMatchObject({ result: 'Applied', revision: 2 });
  expect(await pod.apply(policy)).toMatchObject({ result: 'AlreadyApplied', revision: 2 });
  const older = { ...policy, revision: 1 };
  expect(await pod.apply(older)).toMatchObject({ result: 'Stale', revision: 2 });
  const absent = aPolicy({ revision: 3, stable: aTrack(digestOf(Buffer.from('absent'))) });
  expect(await pod.apply(absent)).toMatchObject({ reason: 'HeadMissing' });
  const stranger = aPolicy({ revision: 4, model: 'other' });
  expect(await pod.apply(stranger)).toMatchObject({ result: 'Rejected', reason: 'ModelMismatch' });
});

test('triton-inference-server/server#2076 new heads are loaded before the old ones go, which answer until then', async () => {
  const pod = await start();
  const old = await pod.push(fakeBundle(2));
  await pod.apply(aPolicy({ stable: aTrack(old) }));
  const revisionOf = async (): Promise<unknown> =>
    (await pod.ask([EASY])).parameters.layercache_head_revision;
  const before = await revisionOf();
  const next = await pod.push(fakeBundle(3));
  // Loaded, and not yet in force.
  const { heads } = await pod.state();
  expect(heads.map(({ headRevision }) => headRevision).toSorted()).toEqual([old, next].toSorted());
  expect(await revisionOf()).toBe(before);
  // An engine that cannot take them leaves the old ones where they are.
  pod.engine.prepareError = new EngineError('EngineFailed', 'no memory');
  expect((await pod.apply(aPolicy({ revision: 2, stable: aTrack(next) }))).result).not.toBe(
    'Applied',
  );
  expect(await revisionOf()).toBe(before);
  await pod.apply(aPolicy({ revision: 3, stable: aTrack(next) }));
  expect(await revisionOf()).not.toBe(before);
});

test('kserve/kserve#2585 metrics name the revision that is in force, and forget it with it', async () => {
  const metrics = createServerMetrics(createMetricRegistry(MODEL), '0.1.0');
  const pod = await start({ metrics });
  const page = async (): Promise<string> => (await send(pod.metrics, '/metrics')).body.toString();
  const revisions = [await pod.push(fakeBundle(2)), await pod.push(fakeBundle(3))];
  for (const [index, revision] of revisions.entries()) {
    await pod.apply(aPolicy({ revision: index + 1, stable: aTrack(revision) }));
    const text = await page();
    for (const one of revisions) {
      const isNamed = text.includes(one.slice('sha256:'.length, 'sha256:'.length + 12));
      expect(isNamed, text).toBe(one === revision);
    }
  }
});
