import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Api } from '../../../operator/kube/api.ts';
import { createClient } from '../../../operator/kube/client.ts';
import { loadAccess, type ClusterAccess } from '../../../operator/kube/cluster-access.ts';
import { guardWrites } from '../../../operator/kube/intercept-api.ts';
import { createTokenBucket } from '../../../operator/kube/token-bucket.ts';
import { leadAccess } from '../../../operator/lead-access.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../support/kube-clock.ts';
import {
  aConfigMap,
  startFakeApiServer,
  type FakeApiServer,
} from '../../support/kube-fake-server.ts';

let server: FakeApiServer;
let access: ClusterAccess;
let clock: FakeKubeClock;
let isLeading: boolean;

beforeEach(async () => {
  server = await startFakeApiServer();
  access = loadAccess({ from: 'Text', kubeconfig: server.kubeconfig });
  clock = fakeKubeClock();
  isLeading = true;
});
afterEach(async () => {
  access.close();
  await server.close();
});

function leaderApi(): Api {
  const budget = createTokenBucket({ clock, perSecond: 1, burst: 1 });
  const client = createClient({ access: leadAccess(access, () => isLeading), clock, budget });
  return guardWrites(client, () => isLeading);
}

test('a write that waited for the budget while the Lease was lost is never sent', async () => {
  const api = leaderApi();
  await api.create(aConfigMap('a', ''));
  const waiting = api.create(aConfigMap('b', ''));
  isLeading = false;
  const refused = expect(waiting).rejects.toThrow('This process no longer leads.');
  await clock.pass(1_000);
  await refused;
  expect(server.requests.map(({ method }) => method)).toEqual(['POST']);
});

test('reads end with the leadership too: what would they be for', async () => {
  isLeading = false;
  const reading = leaderApi().get({ kind: 'ConfigMap', namespace: 'ns', name: 'a' });
  await expect(reading).rejects.toThrow('This process no longer leads.');
  expect(server.requests).toEqual([]);
});
