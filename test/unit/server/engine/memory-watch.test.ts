import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hostShareOfContainer, MemoryWatch } from '../../../../server/engine/memory-watch.ts';

const MIB = 2 ** 20;

function watch(limitBytes: number | null): MemoryWatch {
  return new MemoryWatch({ limitBytes, settleMs: 60_000 }, 0);
}

test('a settled host above its limit is to be ended, with both numbers', () => {
  const watched = watch(500 * MIB);
  expect(watched.heard(300 * MIB, 30_000)).toBeNull();
  expect(watched.heard(500 * MIB, 61_000)).toBeNull();
  expect(watched.heard(501 * MIB, 62_000)).toBe('it took 501 MiB of memory, the limit is 500 MiB');
});

test('what a host needs to begin with is never too much: it may grow by a quarter', () => {
  const watched = watch(500 * MIB);
  expect(watched.heard(800 * MIB, 59_000)).toBeNull();
  expect(watched.heard(1000 * MIB, 61_000)).toBeNull();
  expect(watched.heard(1001 * MIB, 62_000)).toMatch(/the limit is 1000 MiB/);
});

test('without a limit nothing is too much', () => {
  expect(watch(null).heard(2 ** 40, 1e9)).toBeNull();
});

test('the container’s limit is read from either version of control groups; none, or one without bounds, is no limit', () => {
  const dir = mkdtempSync(join(tmpdir(), 'layercache-cgroup-'));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  const file = (name: string, content: string): string => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  const missing = join(dir, 'missing');
  expect(hostShareOfContainer([file('max', '1073741824\n'), missing])).toBe(0.75 * 2 ** 30);
  expect(hostShareOfContainer([missing, file('limit', '536870912\n')])).toBe(0.75 * 2 ** 29);
  expect(hostShareOfContainer([file('none', 'max\n'), missing])).toBeNull();
  expect(hostShareOfContainer([missing, file('huge', '9223372036854771712\n')])).toBeNull();
  expect(hostShareOfContainer([missing])).toBeNull();
});
