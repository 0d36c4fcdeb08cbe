import { beforeEach, describe, expect, test } from 'vitest';
import { parseEvidenceAnswer, serializeEvidenceAnswer } from '../../../../crds/wire/evidence.ts';
import type { PodView } from '../../../../operator/fleet/fleet-pod.ts';
import { createFleetStore, type FleetStore } from '../../../../operator/fleet/fleet-store.ts';
import { holdWindow, openWindow } from '../../../../operator/fleet/held-window.ts';
import type { CountedBoot } from '../../../../operator/fleet/poll-pod.ts';
import { fakePod, type FakePod } from '../../../support/fake-pod.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../support/kube-clock.ts';
import { anAnswer } from '../../crds/documents.ts';

const MOST = 10;

let clock: FakeKubeClock;
let pods: Map<string, FakePod>;
let store: FleetStore;

beforeEach(() => {
  clock = fakeKubeClock();
  pods = new Map();
  store = createFleetStore({
    clock,
    signal: new AbortController().signal,
    connect: (_, pod) => pods.get(pod.uid)!.client(),
    onChange: () => undefined,
    random: () => 0.5,
    onPull: () => undefined,
    mostHeldWindows: MOST,
  });
});

/** A service with one pod of the same name that has closed so many windows. */
function add(uid: string, windows: number, counted?: CountedBoot): FakePod {
  const pod = fakePod(uid);
  pods.set(uid, pod);
  pod.closeWindows(windows);
  const boots = counted === undefined ? {} : { counted: () => new Map([[uid, counted]]) };
  store.follow(uid, { pods: [pod.pod], pollMs: 30_000, ...boots });
  return pod;
}

async function nextRound(): Promise<void> {
  await clock.pass(30_000);
  await store.pollDue();
}

const viewOf = (uid: string): PodView => store.pods(uid)[0]!;
const seqsOf = (uid: string): number[] => viewOf(uid).windows.map(({ seq }) => seq);
const upTo = (uid: string, seq: number): void => {
  store.dropConsumed(uid, new Map([[`${uid} boot-1`, seq]]));
};

test('a held window opens to what it was', () => {
  const answer = anAnswer();
  const read = parseEvidenceAnswer(serializeEvidenceAnswer(answer));
  if (!read.ok) throw new Error(read.message);
  const held = read.value.packedWindows.map(holdWindow);
  expect(held).toHaveLength(answer.windows.length);
  expect(held.map(openWindow)).toEqual(answer.windows);
});

describe('more windows than may be held', () => {
  test('stay with their server, whose pod is heard all the same', async () => {
    add('a', 12);
    await store.pollDue();
    expect(seqsOf('a')).toHaveLength(12);
    const late = add('b', 3);
    await store.pollDue();
    expect(late.calls).toEqual(['GET /v1/evidence?after=999999999999999', 'GET /v1/state']);
    expect(seqsOf('b')).toEqual([]);
    expect(viewOf('b')).toMatchObject({ bootId: 'boot-1', problem: null, state: { loaded: true } });
    expect(viewOf('b').heardMs).not.toBeNull();
  });

  test('are read once those that were held are counted', async () => {
    add('a', 12);
    await store.pollDue();
    add('b', 3);
    await store.pollDue();
    upTo('a', 12);
    await nextRound();
    expect(seqsOf('b')).toEqual([1, 2, 3]);
  });

  test('are read where those that nobody counts for five minutes have gone back to their server', async () => {
    const stuck = add('a', 12);
    await store.pollDue();
    const other = add('b', 3);
    for (let round = 0; round < 9; round++) await nextRound();
    expect(seqsOf('b')).toEqual([]);
    expect(seqsOf('a')).toHaveLength(12);
    // Whoever is asked first has the room.
    stuck.override = () => Promise.resolve({ ok: false, code: 'NoAnswer', message: 'silent' });
    await nextRound();
    expect(seqsOf('a')).toEqual([]);
    expect(seqsOf('b')).toEqual([1, 2, 3]);
    upTo('b', 3);
    stuck.override = null;
    await nextRound();
    expect(seqsOf('a')).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(other.calls.at(-1)).toBe('GET /v1/evidence?after=3');
  });

  test('of a service that is gone take no room', async () => {
    add('a', 12);
    await store.pollDue();
    store.unfollow('a');
    add('b', 3);
    await store.pollDue();
    expect(seqsOf('b')).toEqual([1, 2, 3]);
  });

  test('of a pod that is gone take no room', async () => {
    add('a', 12);
    await store.pollDue();
    store.follow('a', { pods: [], pollMs: 30_000 });
    add('b', 3);
    await store.pollDue();
    expect(seqsOf('b')).toEqual([1, 2, 3]);
  });
});

describe('a pod that an operator before has counted', () => {
  test('is asked for what came since', async () => {
    const pod = add('a', 9, { bootId: 'boot-1', seq: 6 });
    await store.pollDue();
    expect(pod.calls).toEqual(['GET /v1/evidence?after=6', 'GET /v1/state']);
    expect(seqsOf('a')).toEqual([7, 8, 9]);
    expect(viewOf('a').oldestSeq).toBe(7);
  });

  test('and has started again since is read from its first window', async () => {
    const pod = add('a', 9, { bootId: 'boot-0', seq: 6 });
    await store.pollDue();
    expect(pod.calls.slice(0, 2)).toEqual(['GET /v1/evidence?after=6', 'GET /v1/evidence?after=0']);
    expect(seqsOf('a')).toHaveLength(9);
    expect(viewOf('a').oldestSeq).toBe(1);
  });

  test('and never had what was counted is read from its first window, and is no liar', async () => {
    add('a', 4, { bootId: 'boot-1', seq: 6 });
    await store.pollDue();
    expect(seqsOf('a')).toEqual([1, 2, 3, 4]);
    expect(viewOf('a').problem).toBeNull();
  });
});
