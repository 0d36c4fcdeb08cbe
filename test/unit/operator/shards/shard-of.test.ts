import { expect, test } from 'vitest';
import { ownsBy, shardOf } from '../../../../operator/shards/shard-of.ts';

const NAMESPACES = Array.from({ length: 4_000 }, (_, i) => `team-${i}`);

test('the shard of a namespace never changes between versions and machines', () => {
  const shards = ['default', 'ml', 'vision', 'team-7', 'a'].map((name) => shardOf(name, 8));
  expect(shards).toEqual([3, 3, 7, 4, 0]);
});

test('of one shard everything is shard 0', () => {
  expect(new Set(NAMESPACES.map((name) => shardOf(name, 1)))).toEqual(new Set([0]));
});

test('namespaces are spread evenly', () => {
  for (const shards of [2, 3, 8]) {
    const sizes = new Array<number>(shards).fill(0);
    for (const name of NAMESPACES) sizes[shardOf(name, shards)]! += 1;
    const share = NAMESPACES.length / shards;
    // Five standard errors of a fair draw.
    const most = 5 * Math.sqrt(share * (1 - 1 / shards));
    for (const size of sizes) expect(Math.abs(size - share)).toBeLessThan(most);
  }
});

test('one more shard takes its share, and moves nothing between the others', () => {
  for (let shards = 1; shards < 8; shards++) {
    const moved = NAMESPACES.filter((name) => shardOf(name, shards) !== shardOf(name, shards + 1));
    expect(new Set(moved.map((name) => shardOf(name, shards + 1)))).toEqual(new Set([shards]));
  }
});

test('each namespace has exactly one owner', () => {
  const owners = [0, 1, 2].map((shard) => ownsBy(shard, 3));
  for (const name of NAMESPACES) {
    expect(owners.filter((owns) => owns(name) && owns(name))).toHaveLength(1);
  }
  expect(NAMESPACES.every(ownsBy(0, 1))).toBe(true);
});
