import { expect, test } from 'vitest';
import {
  parsePssKib,
  parseStat,
  processTree,
  treeMemoryMib,
  treeOf,
  type ProcessStat,
} from '../../bench/process-tree.ts';

const STAT =
  '812 (ray::Onnx (a) b) S 77 812 812 0 -1 4194560 900 0 0 0 1234 66 9 9 20 0 5 0 4242 1 1 1';

test('parent and processor time are read behind the last parenthesis of a command', () => {
  expect(parseStat(STAT)).toEqual({ parent: 77, seconds: 13 });
});

test('a proportional set size is read where there is one', () => {
  const text = 'Rss:     900 kB\nPss:     512 kB\nPss_Dirty:  11 kB\nSwapPss:   7 kB\n';
  expect(parsePssKib(text)).toBe(512);
  expect(parsePssKib('')).toBeNull();
});

function processes(parents: Readonly<Record<number, number>>): Map<number, ProcessStat> {
  return new Map(
    Object.entries(parents).map(([pid, parent]) => [Number(pid), { parent, seconds: 1 }]),
  );
}

test('a tree holds children of children, whatever the order of their numbers, and no neighbour', () => {
  const all = processes({ 1: 0, 10: 1, 5: 10, 3: 5, 11: 1, 12: 11 });
  expect([...treeOf(all, 10).keys()].sort((a, b) => a - b)).toEqual([3, 5, 10]);
});

test('a process that is gone has no tree', () => {
  expect(treeOf(processes({ 1: 0 }), 7).size).toBe(0);
});

test('this process is in its own tree, with its time and its memory', () => {
  expect(processTree(process.pid).get(process.pid)?.seconds).toBeGreaterThan(0);
  expect(treeMemoryMib(process.pid)).toBeGreaterThan(10);
});
