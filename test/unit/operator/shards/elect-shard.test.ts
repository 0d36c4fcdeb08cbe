import { beforeEach, expect, test } from 'vitest';
import { createLeaseElector } from '../../../../operator/kube/lease-elector.ts';
import { leaseNames } from '../../../../operator/plan/lease-names.ts';
import { electShard, type ShardElection } from '../../../../operator/shards/elect-shard.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../support/kube-clock.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../../../support/simulated-api.ts';

let clock: FakeKubeClock;
let cluster: SimulatedCluster;

beforeEach(() => {
  clock = fakeKubeClock();
  cluster = createSimulatedCluster({ clock });
  cluster.addNamespace('ns');
});

interface Standing {
  readonly election: ShardElection;
  readonly ended: Promise<string>;
  readonly stop: () => void;
  /** Nothing of it is answered any more. */
  readonly crash: () => void;
}

function stand(identity: string, shards: number, seed: number): Standing {
  const random = seededRandom(seed);
  const all = new AbortController();
  const client = cluster.client(identity);
  const election = electShard(
    leaseNames('operator', shards).map((name) => {
      const own = new AbortController();
      const elector = createLeaseElector({
        ...{ api: client, clock, identity, name, namespace: 'ns' },
        random: () => random.uniform(),
        signal: AbortSignal.any([all.signal, own.signal]),
      });
      return {
        elector,
        withdraw: () => {
          own.abort();
        },
      };
    }),
  );
  return {
    election,
    ended: election.run(),
    stop: () => {
      all.abort();
    },
    crash: () => {
      client.crash();
    },
  };
}

const holders = (): readonly unknown[] =>
  cluster
    .objects('Lease')
    .map(({ metadata, spec }) => [
      metadata.name,
      (spec as { holderIdentity?: string }).holderIdentity ?? null,
    ])
    .toSorted();

test.each([1, 2, 3, 4, 5])(
  'three processes and three shards: each leads exactly one, seed %i',
  async (seed) => {
    const standing = ['a', 'b', 'c'].map((name, i) => stand(name, 3, 10 * seed + i));
    await clock.pass(60_000);
    const led = standing.map(({ election }) => election.shard).toSorted();
    expect(led).toEqual([0, 1, 2]);
    expect(standing.every(({ election }) => election.isLeading())).toBe(true);
    expect(await Promise.all(standing.map(({ election }) => election.elected))).toEqual([
      true,
      true,
      true,
    ]);
  },
);

test('one that finds every Lease held stands by, and knows it', async () => {
  const [a, b] = [stand('a', 2, 1), stand('b', 2, 2)];
  await clock.pass(60_000);
  const c = stand('c', 2, 3);
  expect(c.election.holder).toBe('');
  await clock.pass(60_000);
  expect(c.election).toMatchObject({ shard: null, transitions: 0 });
  expect(c.election.isLeading()).toBe(false);
  expect(c.election.holder).not.toBe('');
  expect([a, b].map(({ election }) => election.holder).toSorted()).toEqual(['a', 'b']);
  c.stop();
  expect(await c.ended).toBe('Stopped');
  expect(await c.election.elected).toBe(false);
});

test('the one that stands by takes the shard of one that dies, and leaves the other', async () => {
  const [a, b] = [stand('a', 2, 1), stand('b', 2, 2)];
  await clock.pass(60_000);
  const c = stand('c', 2, 3);
  await clock.pass(10_000);
  const lost = a.election.shard;
  a.crash();
  await clock.pass(30_000);
  expect(a.election.isLeading()).toBe(false);
  expect(c.election.shard).toBe(lost);
  expect(c.election.transitions).toBeGreaterThan(0);
  expect(b.election.isLeading()).toBe(true);
});

test('one that ends gives its Lease back, and holds no other', async () => {
  const a = stand('a', 2, 1);
  await clock.pass(30_000);
  const own = a.election.shard;
  expect(holders()).toEqual([
    ['operator-0', own === 0 ? 'a' : null],
    ['operator-1', own === 1 ? 'a' : null],
  ]);
  a.stop();
  await clock.pass(5_000);
  expect(await a.ended).toBe('Released');
  expect(holders()).toEqual([
    ['operator-0', null],
    ['operator-1', null],
  ]);
});
