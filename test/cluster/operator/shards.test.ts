// Operators that divide the namespaces between them, as processes on a real control plane.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ownsBy } from '../../../operator/shards/shard-of.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { makeService } from './make-service.ts';
import { LEASE, runOperator, type ProxiedOperator } from './run-operators.ts';

const plane = await sharedControlPlane();
const SHARDS = 2;
/** A lease, the retries before and after it, a Node process that starts, and a busy machine. */
const TAKEOVER_MS = LEASE.leaseMs + 30_000;

describe.skipIf(plane.unavailable !== null)('operators with two shards', () => {
  let own: string;
  /** Some namespaces of each shard. */
  let namespaces: readonly (readonly string[])[];

  beforeAll(() => installDefinitions(plane));
  beforeEach(async () => {
    own = (await plane.namespace()).name;
    const made: string[] = [];
    const bothHaveTwo = (): boolean =>
      [0, 1].every((shard) => made.filter(ownsBy(shard, SHARDS)).length >= 2);
    while (!bothHaveTwo()) made.push((await plane.namespace()).name);
    namespaces = [0, 1].map((shard) => made.filter(ownsBy(shard, SHARDS)).slice(0, 2));
  });

  const run = (shards = SHARDS): Promise<ProxiedOperator> =>
    runOperator(plane, own, {
      LAYERCACHE_WATCH_NAMESPACES: namespaces.flat().join(','),
      LAYERCACHE_SHARDS: String(shards),
    });

  /** Which shard it leads, once its caches are full. */
  async function shardOf(operator: ProxiedOperator): Promise<number> {
    await operator.says('caches full', TAKEOVER_MS);
    return (await operator.says('leading')).shard as number;
  }

  /** Three operators: the leader of each shard, and the one that stands by. */
  async function runThree(): Promise<{
    readonly leaders: readonly ProxiedOperator[];
    readonly spare: ProxiedOperator;
  }> {
    const first = await run();
    const at = await shardOf(first);
    const second = await run();
    expect(await shardOf(second)).toBe(1 - at);
    const spare = await run();
    await spare.says('started');
    await eventually(async () => {
      expect((await spare.get('/readyz')).status).toBe(200);
    });
    return { leaders: at === 0 ? [first, second] : [second, first], spare };
  }

  async function becomesDeployed(namespace: string, name: string): Promise<void> {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    await eventually(async () => {
      expect((await plane.request({ path })).status).toBe(200);
    }, TAKEOVER_MS);
  }

  /** Namespaces that an operator wrote to, its own left out. */
  const writtenBy = (operator: ProxiedOperator): readonly string[] => [
    ...new Set(
      operator
        .writes()
        .map((write) => /\/namespaces\/([^/]+)\//.exec(write)?.[1] ?? '')
        .filter((namespace) => namespace !== own && namespace !== ''),
    ),
  ];

  test('each leads one shard and writes in its namespaces alone; one that is killed is followed by the one that stood by', async () => {
    const { leaders, spare } = await runThree();
    const each = async (name: string): Promise<void> => {
      await Promise.all(namespaces.flat().map((namespace) => makeService(plane, namespace, name)));
      await Promise.all(namespaces.flat().map((namespace) => becomesDeployed(namespace, name)));
    };
    await each('before');
    for (const [shard, leader] of leaders.entries()) {
      expect(writtenBy(leader).toSorted()).toEqual(namespaces[shard]!.toSorted());
    }
    expect(spare.writes()).toEqual([]);

    leaders[0]!.kill('SIGKILL');
    await leaders[0]!.ended;
    // Nobody leads its shard now: what comes meanwhile is not lost.
    const [orphaned = ''] = namespaces[0]!;
    await makeService(plane, orphaned, 'meanwhile');
    const kept = leaders[1]!.writes().length;
    expect(await shardOf(spare)).toBe(0);
    await becomesDeployed(orphaned, 'meanwhile');
    await each('after');
    expect(writtenBy(spare).toSorted()).toEqual(namespaces[0]!.toSorted());
    expect(writtenBy(leaders[1]!).toSorted()).toEqual(namespaces[1]!.toSorted());
    expect(leaders[1]!.writes().length).toBeGreaterThan(kept);
  });

  test('one that was frozen while another took its shard writes nothing when it thaws: each child was made by one of them', async () => {
    const { leaders, spare } = await runThree();
    const [frozen, other] = [leaders[0]!, leaders[1]!];
    const [namespace = ''] = namespaces[0]!;
    await makeService(plane, namespace, 'before');
    await becomesDeployed(namespace, 'before');
    frozen.kill('SIGSTOP');
    // Work that lies in its sockets when it wakes.
    await makeService(plane, namespace, 'while-frozen');
    expect(await shardOf(spare)).toBe(0);
    await becomesDeployed(namespace, 'while-frozen');
    const written = frozen.writes();
    frozen.kill('SIGCONT');
    expect(await frozen.ended).toEqual({ code: 1, signal: null });
    expect(frozen.writes()).toEqual(written);
    const makersOf = (name: string): readonly ProxiedOperator[] =>
      [frozen, other, spare].filter((operator) =>
        operator.writes().some((write) => write.includes(`/deployments/${name}?`)),
      );
    expect(makersOf('before')).toEqual([frozen]);
    expect(makersOf('while-frozen')).toEqual([spare]);
  });

  test('one that ends gives its shard to the one that stands by, and one that comes back stands by', async () => {
    const { leaders, spare } = await runThree();
    leaders[1]!.kill('SIGTERM');
    expect(await leaders[1]!.ended).toEqual({ code: 0, signal: null });
    expect(await shardOf(spare)).toBe(1);
    const back = await run();
    await eventually(async () => {
      expect((await back.get('/readyz')).status).toBe(200);
    });
    const [one = ''] = namespaces[1]!;
    await makeService(plane, one, 'vision');
    await becomesDeployed(one, 'vision');
    expect(back.writes()).toEqual([]);
    expect(writtenBy(leaders[0]!)).toEqual([]);
  });

  test('another number of shards waits, ready, until every leader of the number before has ended', async () => {
    const { leaders, spare } = await runThree();
    spare.kill('SIGTERM');
    await spare.ended;
    const alone = await run(1);
    const told = await alone.says('an operator of another number of shards leads');
    expect(told).toMatchObject({ shards: '2' });
    await eventually(async () => {
      expect((await alone.get('/readyz')).status).toBe(200);
    });
    leaders[0]!.kill('SIGTERM');
    await leaders[0]!.ended;
    const [[zero = ''] = [], [one = ''] = []] = namespaces;
    await makeService(plane, one, 'meanwhile');
    await becomesDeployed(one, 'meanwhile');
    expect(alone.writes()).toEqual([]);
    await makeService(plane, zero, 'waits');
    leaders[1]!.kill('SIGTERM');
    await leaders[1]!.ended;
    await becomesDeployed(zero, 'waits');
    expect(await shardOf(alone)).toBe(0);
  });
});
