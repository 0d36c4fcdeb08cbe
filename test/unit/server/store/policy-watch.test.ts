import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Acknowledgement } from '../../../../crds/wire/acknowledgement.ts';
import { createPolicyWatch, type PolicyWatch } from '../../../../server/store/policy-watch.ts';
import { eventually } from '../../../support/eventually.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { anAcknowledgement } from '../../crds/documents.ts';

let dir = '';
let applied: string[];
let higher = 0;
let shown: Acknowledgement;
let next: (text: string) => Acknowledgement;
let isLoaded = true;
let watch: PolicyWatch;
const clock = fakeClock();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-watch-'));
  applied = [];
  higher = 0;
  isLoaded = true;
  shown = ack(0);
  next = (text) => ack(Number(text));
  watch = createPolicyWatch({
    dir,
    clock,
    applier: () =>
      isLoaded
        ? {
            acknowledgement: () => shown,
            apply: (text) => {
              applied.push(text);
              shown = next(text);
              return Promise.resolve(shown);
            },
          }
        : null,
    onHigher: () => {
      higher += 1;
    },
  });
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function ack(revision: number, more: Partial<Acknowledgement> = {}): Acknowledgement {
  return anAcknowledgement({ epoch: 1, revision, result: 'Applied', reason: '', ...more });
}

/** As the kubelet does: a new directory, then the link in one step. */
function publish(name: string, text: string): void {
  mkdirSync(join(dir, name));
  writeFileSync(join(dir, name, 'policy.json'), text);
  symlinkSync(name, join(dir, 'next'));
  renameSync(join(dir, 'next'), join(dir, '..data'));
}

test('a policy is applied once, and a new one as soon as it is looked for', async () => {
  await watch.look();
  publish('a', '1');
  for (let i = 0; i < 3; i++) await watch.look();
  publish('b', '2');
  await watch.look();
  expect(applied).toEqual(['1', '2']);
  expect(watch.dirs).toEqual([join(dir, 'b')]);
  expect(higher).toBe(2);
});

test('one that is followed is applied as soon as the link moves, until it is no longer followed', async () => {
  const problems: unknown[] = [];
  publish('a', '1');
  const unfollow = watch.follow((error) => problems.push(error));
  await watch.look();
  publish('b', '2');
  await eventually(() => {
    expect(applied).toEqual(['1', '2']);
  });
  unfollow();
  publish('c', '3');
  await watch.look();
  expect(applied).toEqual(['1', '2', '3']);
  expect(problems).toEqual([]);
});

test('who asks while it is looked already waits until what was there then is applied', async () => {
  publish('a', '1');
  const first = watch.look();
  publish('b', '2');
  await watch.look();
  expect(applied.at(-1)).toBe('2');
  await first;
});

test('a change while a policy is applied is looked at after it', async () => {
  publish('a', '1');
  next = (text) => {
    if (text === '1') {
      publish('b', '2');
      void watch.look();
    }
    return ack(Number(text));
  };
  await watch.look();
  expect(applied).toEqual(['1', '2']);
});

test('a directory that cannot be followed is told once, and looked at all the same', async () => {
  const problems: unknown[] = [];
  rmSync(dir, { recursive: true });
  watch.follow((error) => problems.push(error))();
  expect(problems).toHaveLength(1);
  mkdirSync(dir);
  publish('a', '1');
  await watch.look();
  expect(applied).toEqual(['1']);
});

test('nothing is read before the backbone is loaded, or without a directory', async () => {
  publish('a', '1');
  isLoaded = false;
  await watch.look();
  isLoaded = true;
  await createPolicyWatch({
    dir: null,
    clock,
    applier: () => null,
    onHigher: () => undefined,
  }).look();
  expect(applied).toEqual([]);
  await watch.look();
  expect(applied).toEqual(['1']);
});

test.each([
  ['refused', { result: 'Rejected', reason: 'HeadMissing' }],
  ['applied without its candidate', { reason: 'CandidateMissing' }],
] as const)('one that was %s is tried again every 30 s: it may fit by now', async (_, verdict) => {
  next = () => ack(0, verdict);
  publish('a', '1');
  await watch.look();
  clock.advance(29_999);
  await watch.look();
  expect(applied).toHaveLength(1);
  clock.advance(1);
  await watch.look();
  expect(applied).toHaveLength(2);
  expect(higher).toBe(0);
});

test('an older policy than the one in force tells nothing of its publisher', async () => {
  shown = ack(5);
  next = () => ack(5, { result: 'Stale' });
  publish('a', '1');
  await watch.look();
  expect(applied).toEqual(['1']);
  expect(higher).toBe(0);
});

test('a look that takes long is not joined by a second one', async () => {
  publish('a', '1');
  await Promise.all([watch.look(), watch.look(), watch.look()]);
  expect(applied).toEqual(['1']);
});
