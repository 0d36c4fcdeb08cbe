import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { systemKubeClock } from '../../../operator/kube/clock.ts';
import { assessAcknowledgement } from '../../../operator/fleet/assess-acknowledgement.ts';
import type { FleetPod } from '../../../operator/fleet/fleet-pod.ts';
import { createFleetStore, type FleetStore } from '../../../operator/fleet/fleet-store.ts';
import { openWindow } from '../../../operator/fleet/held-window.ts';
import { createPodConnections } from '../../../operator/fleet/pod-connections.ts';
import { ROOT_KEY, SERVICE, mountAdminKeys } from '../../support/admin-keys.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestServer } from '../../support/test-server.ts';
import {
  EASY,
  aPolicy,
  aTrack,
  digestOf,
  fakeBundle,
  startTestServer,
} from '../../support/test-server.ts';

const KEY = 'ml/vision';
const SIZE = 10;
const generations = [1, 2].map((generation) => mountAdminKeys({ ...SERVICE, generation }));
const servers: TestServer[] = [];
const pods: FleetPod[] = [];
const ending = new AbortController();
let store: FleetStore;
let loop: Promise<void>;
let changes = 0;

beforeAll(async () => {
  for (let i = 0; i < SIZE; i++) {
    // In the middle of a rotation: old and new keys side by side.
    const adminGeneration = i < SIZE / 2 ? 1 : 2;
    const uid = `uid-${i}`;
    const environment = {
      LAYERCACHE_ADMIN_DIR: generations[adminGeneration - 1]!.dir,
      LAYERCACHE_POD_UID: uid,
      LAYERCACHE_EVIDENCE_WINDOW_SECONDS: '1',
    };
    servers.push(await startTestServer({ environment }));
    pods.push({ uid, name: `vision-${i}`, ip: '127.0.0.1', adminGeneration });
  }
  const connections = createPodConnections(ROOT_KEY, systemKubeClock, (pod) => {
    return servers[pods.findIndex(({ uid }) => uid === pod.uid)]!.admin;
  });
  store = createFleetStore({
    clock: systemKubeClock,
    signal: ending.signal,
    connect: (_, pod) => connections.open(SERVICE.serviceUid, pod),
    onChange: () => (changes += 1),
    random: () => 0.5,
    onPull: () => undefined,
  });
  store.follow(KEY, { pods, pollMs: 1_000 });
  loop = store.run();
});
afterAll(async () => {
  ending.abort();
  await loop;
  await Promise.all(servers.map((server) => server.close()));
  for (const mounted of generations) mounted.remove();
});

const bytes = encodeHeadBundle(fakeBundle(2));
const headRevision = digestOf(bytes);

async function publish(revision: number): Promise<number> {
  const policy = aPolicy({ revision, stable: aTrack(headRevision) });
  const startedMs = performance.now();
  await store.publish(KEY, { policy, bundles: new Map([[headRevision, bytes]]) });
  await eventually(() => {
    const verdicts = store
      .pods(KEY)
      .map((view) =>
        assessAcknowledgement(
          view,
          { policy, knownAnswers: new Map() },
          systemKubeClock.monotonicMs(),
        ),
      );
    expect(verdicts).toEqual(pods.map(() => ({ code: 'Acknowledged', message: '' })));
  });
  return performance.now() - startedMs;
}

test('ten pods with keys of two generations are all known, and take policy after policy within 5 s each', async () => {
  await eventually(() => {
    expect(store.pods(KEY).every(({ state }) => state?.loaded === true)).toBe(true);
  });
  const tookMs: number[] = [];
  for (let revision = 1; revision <= 20; revision++) tookMs.push(await publish(revision));
  expect(Math.max(...tookMs)).toBeLessThan(5_000);
  for (const server of servers) {
    expect((await server.ask([EASY])).parameters.layercache_exit).toBe('early');
  }
});

test('their windows arrive, each once, under the pod that made it', async () => {
  await eventually(() => {
    for (const view of store.pods(KEY)) {
      const windows = view.windows.map(openWindow);
      expect(windows.flatMap(({ served }) => served.rows).length).toBeGreaterThan(0);
      expect(windows.every(({ podUid }) => podUid === view.pod.uid)).toBe(true);
      const seqs = view.windows.map(({ seq }) => seq);
      expect(new Set(seqs).size).toBe(seqs.length);
    }
  }, 10_000);
  expect(changes).toBeGreaterThan(0);
});

test('a pod that ends falls silent, and a pod of another service at its address is not believed', async () => {
  const [gone] = servers;
  await gone!.close();
  await eventually(() => {
    expect(store.pods(KEY).find(({ pod }) => pod.uid === 'uid-0')?.problem?.code).toBe('NoAnswer');
  }, 10_000);
  const other = { ...pods[1]!, uid: 'uid-1', adminGeneration: 7 };
  store.follow(KEY, { pods: [other], pollMs: 1_000 });
  await eventually(() => {
    const [view] = store.pods(KEY);
    expect(view?.problem?.message).toMatch(/another key answers there/);
    expect(view?.state).toBeNull();
  }, 10_000);
});
