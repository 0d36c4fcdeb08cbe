import { expect, test } from 'vitest';
import {
  aheadOfOurs,
  allMeasures,
  closedMeasure,
  leadOver,
  MEMORY,
  oursBeside,
  smallestLead,
} from '../../../bench/peers/comparison.ts';
import { aCase, aFailedLane, aLane, closed, ours } from './builders.ts';

const THROUGHPUT = closedMeasure('perSecond', 8);
const P50 = closedMeasure('p50Ms', 8);

test('a lead is how many times better ours is, whether more or less is better', () => {
  const lane = aLane({ closed: closed([100, 200, 400]) });
  const own = ours({ closed: closed([1_000, 4_000, 5_000]) });
  expect(leadOver(lane, own, THROUGHPUT)).toBe(20);
  expect(leadOver(lane, own, P50)).toBe(20);
  expect(leadOver(lane, own, MEMORY)).toBe(2);
});

test('a server that takes JSON is compared with ours taking JSON', () => {
  const binary = ours();
  const json = ours({ kind: 'JSON', body: 'v2, JSON' });
  const lanes = [binary, json];
  expect(oursBeside(aLane({ kind: 'JSON' }), lanes)).toBe(json);
  expect(oursBeside(aLane(), lanes)).toBe(binary);
  expect(oursBeside(aLane({ kind: 'JSON' }), [binary])).toBeNull();
});

test('the smallest lead is the one over the best other server, and one that failed is none', () => {
  const lanes = [
    ours(),
    aLane({ server: 'Slow', closed: closed([10, 20, 30]) }),
    aLane({ server: 'Quick', closed: closed([500, 2_000, 2_500]) }),
    aFailedLane('Absent', 'it is not there'),
  ];
  expect(smallestLead(aCase(lanes), THROUGHPUT)).toEqual({ server: 'Quick', lead: 2 });
  expect(smallestLead(aCase([ours()]), THROUGHPUT)).toBeNull();
});

test('a server is ahead in what it does better, even in a single figure', () => {
  const lanes = [ours(), aLane({ closed: closed([1_001, 10, 10]), memoryMib: 199 })];
  expect(aheadOfOurs(aCase(lanes), allMeasures([1, 8, 32]))).toEqual([
    { server: 'Other', measures: ['throughput at 1', 'p50 at 1', 'p99 at 1', 'memory'] },
  ]);
});

test('equal is not ahead', () => {
  const { server, ...same } = ours();
  expect(server).toBe('Layercache');
  expect(aheadOfOurs(aCase([ours(), aLane(same)]), allMeasures([1, 8, 32]))).toEqual([]);
});
