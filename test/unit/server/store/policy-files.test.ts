import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBootCounter } from '../../../../server/store/boot-counter.ts';
import { readMountedPolicy } from '../../../../server/store/policy-files.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-mount-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function swapTo(name: string): void {
  symlinkSync(join(dir, name), join(dir, 'next'));
  renameSync(join(dir, 'next'), join(dir, '..data'));
}

test('an empty or missing directory is no policy yet', async () => {
  expect(await readMountedPolicy(dir)).toBeNull();
  expect(await readMountedPolicy(join(dir, 'nowhere'))).toBeNull();
});

test('a plain directory is read too', async () => {
  writeFileSync(join(dir, 'policy.json'), 'plain');
  expect(await readMountedPolicy(dir)).toEqual({ text: 'plain', dir });
});

test('text and directory always belong together, while the link is swapped at least 1,000 times', async () => {
  for (const name of ['a', 'b']) {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'policy.json'), name);
  }
  swapTo('a');
  const reading = { left: 100 };
  const reader = (async () => {
    try {
      for (; reading.left > 0; reading.left--) {
        const mounted = await readMountedPolicy(dir);
        expect(mounted?.text).toBe(basename(mounted?.dir ?? ''));
      }
    } finally {
      reading.left = 0;
    }
  })();
  for (let swaps = 1; swaps <= 1_000 || reading.left > 0; swaps++) {
    swapTo(swaps % 2 === 0 ? 'a' : 'b');
    if (swaps % 10 === 0) await new Promise(setImmediate);
  }
  await reader;
});

test('a policy that was being applied at two deaths is deadly at the third start, another one is not', () => {
  const pair = { epoch: 2, revision: 7 };
  for (let start = 1; start <= 2; start++) {
    const counter = createBootCounter(dir);
    expect(counter.isDeadly(pair)).toBe(false);
    counter.started(pair);
  }
  const third = createBootCounter(dir);
  expect(third.isDeadly(pair)).toBe(true);
  expect(third.isDeadly({ epoch: 2, revision: 8 })).toBe(false);
  third.started({ epoch: 2, revision: 8 });
  third.ended();
  expect(createBootCounter(dir).isDeadly(pair)).toBe(false);
});

test('without a directory, with a damaged note or a read-only place it protects nothing and breaks nothing', () => {
  const pair = { epoch: 1, revision: 1 };
  writeFileSync(join(dir, 'applying.json'), '{"epoch":');
  writeFileSync(join(dir, 'file'), '');
  for (const place of [null, dir, join(dir, 'file')]) {
    const counter = createBootCounter(place);
    expect(counter.isDeadly(pair)).toBe(false);
    counter.started(pair);
    counter.ended();
  }
});
