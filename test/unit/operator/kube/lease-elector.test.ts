import { beforeEach, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../../operator/kube/api.ts';
import { isWrite } from '../../../../operator/kube/intercept-api.ts';
import {
  createLeaseElector,
  type LeaseElector,
  type LeaseElectorOptions,
} from '../../../../operator/kube/lease-elector.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../support/kube-clock.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import {
  createSimulatedCluster,
  type SimulatedClient,
  type SimulatedCluster,
} from '../../../support/simulated-api.ts';
import {
  CALM,
  seededFaults,
  type Fault,
  type Faults,
} from '../../../support/simulated-api-faults.ts';
import { openRecord } from '../../../promises/open-record.ts';

const recordTakeover = openRecord('takeover');

let clock: FakeKubeClock;
let cluster: SimulatedCluster;

beforeEach(() => {
  clock = fakeKubeClock();
  cluster = createSimulatedCluster({ clock });
  cluster.addNamespace('ns');
});

const REF = { kind: 'Lease', namespace: 'ns', name: 'operator' } as const;

interface Candidate {
  readonly client: SimulatedClient;
  readonly elector: LeaseElector;
  readonly stop: AbortController;
  readonly ended: Promise<string>;
}

function candidate(
  identity: string,
  faults?: Faults,
  options: Partial<LeaseElectorOptions> = {},
): Candidate {
  const stop = new AbortController();
  const client = cluster.client(identity, faults);
  const elector = createLeaseElector({
    api: client,
    clock,
    random: () => 0.5,
    signal: stop.signal,
    namespace: 'ns',
    name: 'operator',
    identity,
    ...options,
  });
  return { client, elector, stop, ended: elector.run() };
}

const lease = (): KubeObject => cluster.objects('Lease')[0]!;
const spec = () => lease().spec as Record<string, unknown>;
const admin = () => cluster.client('admin');
const leaseOf = (fields: Readonly<Record<string, unknown>>): KubeObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'operator', namespace: 'ns' },
  spec: fields,
});

/** Faults that a test switches on and off. */
function switched(): Faults & { fault: Fault | null } {
  const faults = { fault: null as Fault | null, onCall: () => faults.fault };
  return faults;
}

describe('a Lease', () => {
  test('that is not there is made and held by the first candidate, with six digits', async () => {
    const a = candidate('a');
    await clock.pass(0);
    expect(a.elector.isLeading()).toBe(true);
    expect(await a.elector.elected).toBe(true);
    expect(spec()).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: '2027-01-15T08:00:00.000000Z',
      renewTime: '2027-01-15T08:00:00.000000Z',
    });
  });

  test('bears the annotations of its holder, beside those of others', async () => {
    const a = candidate('a', undefined, { annotations: { 'layercache.io/shards': '2' } });
    await clock.pass(0);
    expect(lease().metadata.annotations).toEqual({ 'layercache.io/shards': '2' });
    await admin().mergePatch(REF, { metadata: { annotations: { note: 'kept' } } });
    await clock.pass(5_000);
    a.stop.abort();
    await clock.pass(3_000);
    candidate('b', undefined, { annotations: { 'layercache.io/shards': '3' } });
    await clock.pass(3_000);
    expect(lease().metadata.annotations).toEqual({ 'layercache.io/shards': '3', note: 'kept' });
  });

  test('is renewed every 2 s and keeps the time of its acquisition', async () => {
    candidate('a');
    await clock.pass(61_000);
    expect(spec()).toMatchObject({
      acquireTime: '2027-01-15T08:00:00.000000Z',
      renewTime: '2027-01-15T08:01:00.000000Z',
    });
    expect(cluster.writes).toHaveLength(31);
  });

  test('held by a living leader is left alone for ever', async () => {
    candidate('a');
    await clock.pass(0);
    const b = candidate('b');
    await clock.pass(3_600_000);
    expect(b.elector.isLeading()).toBe(false);
    expect(b.elector.holder).toBe('a');
  });

  test('of a dead leader changes hands within the lease and one retry, and counts it', async () => {
    const a = candidate('a');
    await clock.pass(0);
    const b = candidate('b');
    await clock.pass(10_000);
    a.client.crash();
    const diedMs = clock.monotonicMs();
    while (!b.elector.isLeading()) await clock.pass(100);
    expect(clock.monotonicMs() - diedMs).toBeLessThanOrEqual(19_400);
    recordTakeover({ seconds: (clock.monotonicMs() - diedMs) / 1_000 });
    expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    expect(b.elector.transitions).toBe(1);
  });

  test('is never taken before it stood still for a whole lease, whatever its times say', async () => {
    for (const renewTime of ['1999-01-01T00:00:00.000000Z', '2999-01-01T00:00:00.000000Z']) {
      cluster = createSimulatedCluster({ clock });
      cluster.addNamespace('ns');
      await admin().create(leaseOf({ holderIdentity: 'x', leaseDurationSeconds: 15, renewTime }));
      const b = candidate('b');
      await clock.pass(14_900);
      expect(b.elector.isLeading()).toBe(false);
      await clock.pass(4_500);
      expect(b.elector.isLeading()).toBe(true);
      b.client.crash();
    }
  });

  test('whose duration somebody set to a year is taken after our lease all the same', async () => {
    await admin().create(leaseOf({ holderIdentity: 'x', leaseDurationSeconds: 31_536_000 }));
    const b = candidate('b');
    await clock.pass(19_400);
    expect(b.elector.isLeading()).toBe(true);
  });

  test('is given up at the end and taken at once by the next', async () => {
    const a = candidate('a');
    await clock.pass(0);
    const b = candidate('b');
    await clock.pass(1_000);
    a.stop.abort();
    expect(await a.ended).toBe('Released');
    expect(a.elector.isLeading()).toBe(false);
    expect(spec()).toEqual({
      leaseDurationSeconds: 1,
      acquireTime: '2027-01-15T08:00:01.000000Z',
      renewTime: '2027-01-15T08:00:01.000000Z',
      leaseTransitions: 0,
    });
    await clock.pass(4_400);
    expect(b.elector.isLeading()).toBe(true);
    expect(spec()).toMatchObject({ leaseTransitions: 1 });
  });

  test('wanted by two at once goes to one', async () => {
    const both = [candidate('a'), candidate('b')];
    await clock.pass(60_000);
    expect(both.filter(({ elector }) => elector.isLeading())).toHaveLength(1);
  });
});

describe('a leader', () => {
  test('that misses renewals leads on for the renew deadline and not a moment longer', async () => {
    const faults = switched();
    const a = candidate('a', faults);
    await clock.pass(4_000);
    faults.fault = { kind: 'Status', status: 503, reason: 'ServiceUnavailable' };
    await clock.pass(9_999);
    expect(a.elector.isLeading()).toBe(true);
    await clock.pass(1);
    expect(a.elector.isLeading()).toBe(false);
    expect(await a.ended).toBe('Lost');
  });

  test('whose API server falls silent ends at the renew deadline too', async () => {
    const faults = switched();
    const a = candidate('a', faults);
    await clock.pass(4_000);
    faults.fault = { kind: 'Silence' };
    await clock.pass(10_000);
    expect(await a.ended).toBe('Lost');
  });

  test('that was frozen finds itself without the Lease before it could write, and writes nothing', async () => {
    const a = candidate('a');
    await clock.pass(4_000);
    const writes = cluster.writes.length;
    clock.freeze(60_000);
    expect(a.elector.isLeading()).toBe(false);
    await clock.pass(60_000);
    expect(await a.ended).toBe('Lost');
    expect(cluster.writes).toHaveLength(writes);
  });

  test('survives one lost renewal, and two', async () => {
    const faults = switched();
    const a = candidate('a', faults);
    await clock.pass(4_000);
    faults.fault = { kind: 'LostAnswer', status: 504 };
    await clock.pass(4_000);
    faults.fault = null;
    await clock.pass(60_000);
    expect(a.elector.isLeading()).toBe(true);
  });

  test('whose renewals are all done and never answered leads on by what it reads', async () => {
    const lossy: Faults = {
      onCall: ({ verb }) =>
        verb === 'update' && clock.monotonicMs() > 3_000 ? { kind: 'LostAnswer', status: 0 } : null,
    };
    const a = candidate('a', lossy);
    await clock.pass(120_000);
    expect(a.elector.isLeading()).toBe(true);
    expect(spec()).toMatchObject({ leaseTransitions: 0 });
  });

  test('whose Lease names another one ends at once', async () => {
    const a = candidate('a');
    await clock.pass(4_000);
    const live = lease();
    await admin().replace({ ...live, spec: { ...spec(), holderIdentity: 'x' } });
    await clock.pass(2_000);
    expect(await a.ended).toBe('Lost');
    expect(a.elector.holder).toBe('x');
  });

  test('whose Lease somebody edits or labels leads on', async () => {
    const a = candidate('a');
    for (let i = 0; i < 20; i++) {
      await clock.pass(3_000);
      await admin().mergePatch(REF, {
        metadata: { labels: { n: String(i) } },
        spec: { leaseDurationSeconds: 1 },
      });
    }
    expect(a.elector.isLeading()).toBe(true);
    await clock.pass(4_000);
    expect(spec()).toMatchObject({ leaseDurationSeconds: 15, leaseTransitions: 0 });
  });

  test('whose Lease is deleted makes it again and goes on counting where it was', async () => {
    await admin().create(leaseOf({ leaseDurationSeconds: 15, leaseTransitions: 6 }));
    const a = candidate('a');
    await clock.pass(0);
    expect(a.elector.transitions).toBe(7);
    await admin().delete(REF);
    await clock.pass(10_000);
    expect(a.elector.isLeading()).toBe(true);
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 7 });
  });
});

describe('a candidate', () => {
  test('whose writes are done but never answered leads as soon as one answer arrives', async () => {
    let isLossy = true;
    const a = candidate('a', {
      onCall: (call) => (isLossy && isWrite(call) ? { kind: 'LostAnswer', status: 0 } : null),
    });
    await clock.pass(0);
    expect(spec()).toMatchObject({ holderIdentity: 'a' });
    expect(a.elector.isLeading()).toBe(false);
    isLossy = false;
    await clock.pass(4_400);
    expect(a.elector.isLeading()).toBe(true);
    expect(spec()).toMatchObject({ leaseTransitions: 0 });
  });

  test('whose answer arrives after the renew deadline does not lead by it', async () => {
    let isLate = true;
    const a = candidate('a', {
      onCall: ({ verb }) => (verb === 'create' && isLate ? { kind: 'Delay', ms: 10_000 } : null),
    });
    await clock.pass(10_000);
    expect(spec()).toMatchObject({ holderIdentity: 'a' });
    expect(a.elector.isLeading()).toBe(false);
    isLate = false;
    await clock.pass(3_200);
    expect(a.elector.isLeading()).toBe(true);
  });

  test('that ends before it led says so and leaves the Lease alone', async () => {
    candidate('a');
    await clock.pass(0);
    const b = candidate('b');
    await clock.pass(0);
    b.stop.abort();
    expect(await b.ended).toBe('Stopped');
    expect(await b.elector.elected).toBe(false);
    expect(spec()).toMatchObject({ holderIdentity: 'a' });
  });

  test('that may not read the Lease reports it and goes on trying', async () => {
    const faults = switched();
    faults.fault = { kind: 'Status', status: 403, reason: 'Forbidden' };
    const problems: number[] = [];
    const a = candidate('a', faults, { onProblem: ({ status }) => problems.push(status) });
    await clock.pass(12_000);
    expect(problems).toEqual([403, 403, 403, 403]);
    faults.fault = null;
    await clock.pass(3_200);
    expect(a.elector.isLeading()).toBe(true);
  });

  test('runs once, and only with a lease above the renew deadline above 1.2 retries', async () => {
    const a = candidate('a');
    await expect(a.elector.run()).rejects.toThrow('already runs');
    for (const times of [{ leaseMs: 10_000 }, { renewDeadlineMs: 2_400 }, { retryMs: NaN }]) {
      expect(() => candidate('b', undefined, times)).toThrow(RangeError);
    }
  });
});

test('two candidates under any faults never lead at once', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    clock = fakeKubeClock();
    cluster = createSimulatedCluster({ clock });
    cluster.addNamespace('ns');
    const random = seededRandom(seed);
    const rates = { ...CALM, delay: 0.2, refuse: 0.2, lose: 0.1, silence: 0.05 };
    const both = ['a', 'b'].map((identity) =>
      candidate(identity, seededFaults(random, rates), { random: () => random.uniform() }),
    );
    let led = 0;
    for (let i = 0; i < 400; i++) {
      await clock.pass(random.exponential(500));
      const leading = both.filter(({ elector }) => elector.isLeading()).length;
      expect(leading, `seed ${seed}`).toBeLessThanOrEqual(1);
      led += leading;
    }
    expect(led, `seed ${seed}`).toBeGreaterThan(0);
    for (const { client } of both) client.crash();
  }
});
