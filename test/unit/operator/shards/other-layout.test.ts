import { beforeEach, expect, test } from 'vitest';
import { ApiStatusError } from '../../../../operator/kube/api-status-error.ts';
import { microTime } from '../../../../operator/kube/micro-time.ts';
import { allLeaseNames } from '../../../../operator/plan/lease-names.ts';
import {
  SHARDS_ANNOTATION,
  waitForOtherLayouts,
  type LayoutOptions,
} from '../../../../operator/shards/other-layout.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../support/kube-clock.ts';
import {
  createSimulatedCluster,
  type SimulatedClient,
  type SimulatedCluster,
} from '../../../support/simulated-api.ts';
import type { Fault } from '../../../support/simulated-api-faults.ts';

let clock: FakeKubeClock;
let cluster: SimulatedCluster;
let admin: SimulatedClient;
let fault: Fault | null;
let waits: Parameters<LayoutOptions['onWait']>[0][];

beforeEach(() => {
  clock = fakeKubeClock();
  cluster = createSimulatedCluster({ clock });
  cluster.addNamespace('ns');
  admin = cluster.client('admin');
  fault = null;
  waits = [];
});

const hold = (name: string, layout: string | null, holderIdentity = 'other') =>
  admin.create({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...{ name, namespace: 'ns' },
      annotations: layout === null ? {} : { [SHARDS_ANNOTATION]: layout },
    },
    spec: holderIdentity === '' ? {} : { holderIdentity, renewTime: microTime(0) },
  });

/** Whether the wait has ended. */
function waiting(
  shards: number,
  signal = new AbortController().signal,
): { readonly isOver: boolean } {
  const state = { isOver: false };
  void waitForOtherLayouts({
    ...{ api: cluster.client('me', { onCall: () => fault }), clock, signal, shards },
    ...{ namespace: 'ns', leases: allLeaseNames('operator'), leaseMs: 15_000, retryMs: 2_000 },
    onWait: (why) => waits.push(why),
  }).then(() => {
    state.isOver = true;
  });
  return state;
}

test('nobody else, Leases of the same number of shards, and free ones are not waited for', async () => {
  await hold('operator-0', '2');
  await hold('operator-1', '2');
  await hold('operator-2', '3', '');
  await hold('operator', null, '');
  const wait = waiting(2);
  await clock.pass(0);
  expect(wait.isOver).toBe(true);
  expect(waits).toEqual([]);
});

test.each([
  {
    who: 'a leader alone, of a version before shards',
    ...{ lease: 'operator', layout: null, shards: 2, told: '1' },
  },
  {
    who: 'one of more shards, by one that has no such Lease',
    ...{ lease: 'operator-2', layout: '3', shards: 2, told: '3' },
  },
  {
    who: 'one of more shards, by a leader alone',
    ...{ lease: 'operator-1', layout: '2', shards: 1, told: '2' },
  },
  {
    who: 'one of other shards under a name of ours',
    ...{ lease: 'operator-1', layout: '3', shards: 2, told: '3' },
  },
])('$who is waited for until it gives its Lease back', async ({ lease, layout, shards, told }) => {
  await hold(lease, layout);
  const wait = waiting(shards);
  await clock.pass(9_000);
  expect(wait.isOver).toBe(false);
  expect(waits[0]).toEqual({ lease, shards: told });
  const live = await admin.get({ kind: 'Lease', namespace: 'ns', name: lease });
  await admin.replace({ ...live, spec: {} });
  await clock.pass(2_000);
  expect(wait.isOver).toBe(true);
});

test('a Lease that nobody renews is waited for as long as a lease lasts', async () => {
  await hold('operator', '1');
  const wait = waiting(2);
  await clock.pass(14_000);
  const live = await admin.get({ kind: 'Lease', namespace: 'ns', name: 'operator' });
  await admin.replace({ ...live, spec: { holderIdentity: 'other', renewTime: microTime(1_000) } });
  await clock.pass(15_000);
  expect(wait.isOver).toBe(false);
  await clock.pass(4_000);
  expect(wait.isOver).toBe(true);
});

test('while Leases cannot be read nothing is taken for granted; an end is an end', async () => {
  fault = { kind: 'Status', status: 503, reason: 'ServiceUnavailable' };
  const stop = new AbortController();
  const wait = waiting(2, stop.signal);
  await clock.pass(5_000);
  expect(wait.isOver).toBe(false);
  expect(waits[0]).toBeInstanceOf(ApiStatusError);
  fault = null;
  await clock.pass(2_000);
  expect(wait.isOver).toBe(true);
  await hold('operator', '1');
  const other = waiting(2, stop.signal);
  await clock.pass(0);
  stop.abort();
  await clock.pass(0);
  expect(other.isOver).toBe(true);
});
