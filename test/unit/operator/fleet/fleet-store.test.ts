import { beforeEach, describe, expect, test } from 'vitest';
import type { AdminCall } from '../../../../operator/fleet/admin-client.ts';
import { toPodReport, type PodView } from '../../../../operator/fleet/fleet-pod.ts';
import type { FleetChange } from '../../../../operator/fleet/fleet-change.ts';
import { createFleetStore, type FleetStore } from '../../../../operator/fleet/fleet-store.ts';
import { openWindow } from '../../../../operator/fleet/held-window.ts';
import type { PullResult } from '../../../../operator/fleet/pull-result.ts';
import type { Publication } from '../../../../operator/fleet/push-to-pod.ts';
import { SILENT, fakePod, type FakePod } from '../../../support/fake-pod.ts';
import { fakeKubeClock, settle, type FakeKubeClock } from '../../../support/kube-clock.ts';
import { aPolicy, aTrack } from '../../crds/documents.ts';

const KEY = 'ml/vision';
const HEADS = aTrack().headRevision;
const BYTES = new Map([[HEADS, new Uint8Array(3)]]);

let clock: FakeKubeClock;
let ending: AbortController;
let pods: Map<string, FakePod>;
let changes: string[];
let kinds: FleetChange[];
let pulls: PullResult[];
let store: FleetStore;

beforeEach(() => {
  clock = fakeKubeClock();
  ending = new AbortController();
  pods = new Map();
  changes = [];
  kinds = [];
  pulls = [];
  store = createFleetStore({
    clock,
    signal: ending.signal,
    connect: (_, pod) => pods.get(pod.uid)!.client(),
    onChange: (key, change) => {
      changes.push(key);
      kinds.push(change);
    },
    random: () => 0.5,
    onPull: (result) => pulls.push(result),
  });
});

function add(uid: string): FakePod {
  const pod = fakePod(uid);
  pods.set(uid, pod);
  return pod;
}

function followAll(pollMs = 30_000): void {
  store.follow(KEY, { pods: [...pods.values()].map(({ pod }) => pod), pollMs });
}

const viewOf = (uid: string): PodView => store.pods(KEY).find(({ pod }) => pod.uid === uid)!;
const seqsOf = (uid: string): number[] => viewOf(uid).windows.map(({ seq }) => seq);
const policyOf = (revision: number): Publication => ({
  policy: aPolicy({ revision, candidate: null }),
  bundles: BYTES,
});

describe('polls', () => {
  test('a new pod is asked at once for evidence and state, then every 30 s for evidence alone', async () => {
    const pod = add('a');
    pod.closeWindows(3);
    followAll();
    await store.pollDue();
    expect(pod.calls).toEqual(['GET /v1/evidence?after=0', 'GET /v1/state']);
    expect(seqsOf('a')).toEqual([1, 2, 3]);
    expect(viewOf('a').state).toMatchObject({ loaded: true, state: { podUid: 'a' } });
    pod.closeWindows(5);
    await clock.pass(29_000);
    await store.pollDue();
    expect(pod.calls).toHaveLength(2);
    await clock.pass(1_000);
    await store.pollDue();
    expect(pod.calls.slice(2)).toEqual(['GET /v1/evidence?after=3']);
    expect(seqsOf('a')).toEqual([1, 2, 3, 4, 5]);
    pod.stateDigest = `sha256:${'2'.repeat(64)}`;
    await clock.pass(30_000);
    await store.pollDue();
    expect(pod.calls.slice(3)).toEqual(['GET /v1/evidence?after=5', 'GET /v1/state']);
  });

  test('a rollout shortens the wait that is running', async () => {
    const pod = add('a');
    followAll();
    await store.pollDue();
    followAll(10_000);
    await clock.pass(11_000);
    await store.pollDue();
    expect(pod.calls).toHaveLength(3);
  });

  test('pods of one service are asked together from the next round on, whenever they came', async () => {
    const first = add('a');
    followAll();
    await store.pollDue();
    await clock.pass(12_000);
    const late = add('b');
    followAll();
    await store.pollDue();
    expect([first.calls.length, late.calls.length]).toEqual([2, 2]);
    await clock.pass(17_999);
    await store.pollDue();
    expect([first.calls.length, late.calls.length]).toEqual([2, 2]);
    await clock.pass(1);
    await store.pollDue();
    expect([first.calls.length, late.calls.length]).toEqual([3, 3]);
  });

  test('a node that goes away with 500 pods holds the others for 16 s once, and later not at all', async () => {
    const alone = add('z');
    alone.closeWindows(1);
    for (let i = 0; i < 500; i++) add(`dead-${i}`);
    // The last one in line.
    const [first, ...others] = [...pods];
    pods = new Map([...others, first!]);
    followAll();
    await store.pollDue();
    for (const [uid, pod] of pods) {
      if (uid === 'z') continue;
      pod.override = () =>
        new Promise((resolve) => {
          clock.schedule(2_000, () => {
            resolve(SILENT);
          });
        });
    }
    alone.calls.splice(0);
    await clock.pass(30_000);
    let round = store.pollDue();
    await clock.pass(15_400);
    expect(alone.calls).toEqual([]);
    await clock.pass(600);
    expect(alone.calls).toHaveLength(1);
    await clock.pass(2_000);
    await round;
    expect(viewOf('dead-499').problem?.code).toBe('NoAnswer');
    await clock.pass(12_000);
    round = store.pollDue();
    await settle();
    expect(alone.calls).toHaveLength(2);
    await clock.pass(18_000);
    await round;
  });

  test('more windows than one answer holds are read to their end', async () => {
    const pod = add('a');
    pod.closeWindows(700);
    followAll();
    await store.pollDue();
    expect(pod.calls.slice(0, 3)).toEqual([
      'GET /v1/evidence?after=0',
      'GET /v1/evidence?after=256',
      'GET /v1/evidence?after=512',
    ]);
    expect(seqsOf('a')).toHaveLength(700);
  });

  test('a pod that loads its backbone says why, and is asked again after 5 s', async () => {
    const pod = add('a');
    const failure = { code: 'BackboneFetchFailed' as const, message: 'it answers 404.' };
    pod.loading = { step: 'Fetching', failedAttempts: 2, failure };
    followAll();
    await store.pollDue();
    expect(viewOf('a')).toMatchObject({
      state: { loaded: false, state: { loading: { failure } } },
      problem: null,
    });
    expect(
      toPodReport(viewOf('a'), { isReady: false, monotonicMs: 0, withWindows: true }),
    ).toBeNull();
    pod.loading = null;
    await clock.pass(5_000);
    await store.pollDue();
    expect(viewOf('a').state?.loaded).toBe(true);
  });

  test('a restarted server is read from its first window; nothing of the former boot stays', async () => {
    const pod = add('a');
    pod.closeWindows(9);
    followAll();
    await store.pollDue();
    pod.bootId = 'boot-2';
    pod.windows = [];
    pod.closeWindows(2);
    await clock.pass(30_000);
    await store.pollDue();
    expect(viewOf('a')).toMatchObject({ bootId: 'boot-2', problem: null });
    expect(seqsOf('a')).toEqual([1, 2]);
    expect(viewOf('a').windows.every((held) => openWindow(held).bootId === 'boot-2')).toBe(true);
    expect(pulls).toEqual(['ok', 'restarted', 'ok']);
  });

  test('windows that were gone before they were read are a gap', async () => {
    const pod = add('a');
    pod.closeWindows(4);
    followAll();
    await store.pollDue();
    pod.closeWindows(20);
    pod.oldestSeq = 18;
    await clock.pass(30_000);
    await store.pollDue();
    expect(seqsOf('a').slice(-3)).toEqual([18, 19, 20]);
    expect(pulls).toEqual(['ok', 'gap']);
  });

  test('a pod that was never read has no gap, however old its first window', async () => {
    const pod = add('a');
    pod.closeWindows(9);
    pod.oldestSeq = 8;
    followAll();
    await store.pollDue();
    expect(seqsOf('a')).toEqual([8, 9]);
    expect(pulls).toEqual(['ok']);
  });

  test.each([
    ['no_answer', SILENT],
    ['refused', { ok: true, value: { status: 503, body: Buffer.from('{}') } }],
    ['invalid', { ok: true, value: { status: 200, body: Buffer.from('{}') } }],
  ] as const)('a pull without evidence counts as %s', async (result, answer) => {
    add('a').override = () => Promise.resolve(answer);
    followAll();
    await store.pollDue();
    expect(pulls).toEqual([result]);
  });

  test('at most 16 pods are asked at once, and a silent one holds nobody else', async () => {
    let asked = 0;
    let most = 0;
    const release: (() => void)[] = [];
    for (let i = 0; i < 40; i++) {
      add(String(i)).override = () => {
        asked += 1;
        most = Math.max(most, asked);
        return new Promise((resolve) => {
          release.push(() => {
            asked -= 1;
            resolve(SILENT);
          });
        });
      };
    }
    followAll();
    const polls = store.pollDue();
    await settle();
    expect(release).toHaveLength(16);
    while (release.length > 0) {
      for (const one of release.splice(0)) one();
      await settle();
    }
    await polls;
    expect(most).toBe(16);
    expect(viewOf('39').problem?.code).toBe('NoAnswer');
    const late = add('late');
    followAll();
    await store.pollDue();
    expect(late.calls).not.toEqual([]);
  });

  test('a poll that is still running is not started again', async () => {
    const pod = add('a');
    let release: () => void = () => undefined;
    pod.override = () =>
      new Promise(
        (resolve) =>
          (release = () => {
            resolve(SILENT);
          }),
      );
    followAll();
    const first = store.pollDue();
    await settle();
    await clock.pass(60_000);
    await store.pollDue();
    expect(pod.calls).toHaveLength(1);
    release();
    await first;
  });
});

describe('what a pod says is no data', () => {
  const junk: [string, string, (pod: FakePod) => void][] = [
    ['when it is no JSON', 'Malformed', (pod) => (pod.override = text('<html>'))],
    ['when a field is unknown', 'Invalid', (pod) => (pod.override = text('{"schemaVersion":1}'))],
    [
      'when its schema is unknown',
      'UnknownSchema',
      (pod) => (pod.override = text('{"schemaVersion":9}')),
    ],
    ['when it never ends', 'NoAnswer', (pod) => (pod.override = () => Promise.resolve(SILENT))],
    ['when another pod has its address', 'OtherPod', (pod) => (pod.pod = { ...pod.pod, uid: 'x' })],
    ['when its windows run backwards', 'Contradiction', (pod) => pod.windows.splice(1)],
  ];
  function text(body: string) {
    return () =>
      Promise.resolve({ ok: true as const, value: { status: 200, body: Buffer.from(body) } });
  }

  test.each(junk)(
    '%s (%s), and what was known stays until it is too old',
    async (_, code, spoil) => {
      const pod = add('a');
      pod.closeWindows(3);
      followAll();
      await store.pollDue();
      const before = viewOf('a');
      spoil(pod);
      await clock.pass(30_000);
      await store.pollDue();
      const { problem, ...rest } = viewOf('a');
      expect(problem?.code).toBe(code);
      expect({ ...rest, problem: null }).toEqual(before);
      const report = (monotonicMs: number) =>
        toPodReport(viewOf('a'), { isReady: true, monotonicMs, withWindows: true });
      expect(report(89_999)?.acknowledgement).not.toBeNull();
      expect(report(90_000)?.acknowledgement).toBeNull();
    },
  );

  test('when one window breaks a law: that window alone is dropped, and told', async () => {
    const pod = add('a');
    pod.closeWindows(3);
    pod.windows[1] = { ...pod.windows[1]!, auditsLost: 5, auditsChosen: 1 };
    followAll();
    await store.pollDue();
    expect(seqsOf('a')).toEqual([1, 3]);
    expect(viewOf('a').droppedSeqs).toEqual([2]);
  });
});

describe('windows', () => {
  test('that are in the ledger are forgotten, also when a running poll brings them again', async () => {
    const pod = add('a');
    pod.closeWindows(3);
    followAll();
    await store.pollDue();
    pod.override = (call: AdminCall) => {
      if (call.path.includes('evidence')) store.dropConsumed(KEY, new Map([['a boot-1', 2]]));
      return undefined;
    };
    pod.closeWindows(4);
    await clock.pass(30_000);
    await store.pollDue();
    expect(seqsOf('a')).toEqual([3, 4]);
    store.dropConsumed(KEY, new Map([['a boot-1', 4]]));
    expect(seqsOf('a')).toEqual([]);
    store.dropConsumed('ml/unknown', new Map());
  });

  test('that nobody consumes are a gap from 1,000 on', async () => {
    const pod = add('a');
    pod.closeWindows(1_100);
    followAll();
    await store.pollDue();
    expect(viewOf('a').windows).toHaveLength(1_000);
    expect(viewOf('a').oldestSeq).toBe(101);
  });
});

describe('publishing', () => {
  async function known(...uids: string[]): Promise<FakePod[]> {
    const all = uids.map(add);
    followAll();
    await store.pollDue();
    for (const { calls } of all) calls.splice(0);
    changes.splice(0);
    return all;
  }
  const PUTS = [`PUT /v1/heads/${HEADS.slice(7)}`, 'PUT /v1/policy'];

  test('brings heads first, then the policy, and the answer is the acknowledgement', async () => {
    const [a, b] = await known('a', 'b');
    await store.publish(KEY, policyOf(18));
    expect(a!.calls).toEqual(PUTS);
    expect(b!.calls).toEqual(PUTS);
    expect(viewOf('a').acknowledgement).toMatchObject({ revision: 18, headRevisions: [HEADS] });
    expect(changes).toEqual([KEY, KEY]);
    await store.publish(KEY, policyOf(19));
    expect(a!.calls.slice(2)).toEqual(['PUT /v1/policy']);
    await store.publish(KEY, policyOf(19));
    expect(a!.calls).toHaveLength(3);
  });

  test('gives every pod 2 s', async () => {
    const [a] = await known('a');
    const deadlines: unknown[] = [];
    a!.override = ({ deadlineMs }) => {
      deadlines.push(deadlineMs);
      return undefined;
    };
    await store.publish(KEY, policyOf(18));
    expect(deadlines).toEqual([2_000, 2_000]);
  });

  test('reaches 48 of 50 pods while a dead one and a slow one hold two of 16 places for a while, and ends when these have missed their 2 s', async () => {
    const all = await known(...Array.from({ length: 50 }, (_, i) => `pod-${i}`));
    const [dead, slow] = all;
    let open = 0;
    let most = 0;
    const later = <T>(ms: number, value: T): Promise<T> =>
      new Promise((resolve) =>
        clock.schedule(ms, () => {
          resolve(value);
        }),
      );
    for (const pod of all) {
      pod.override = ({ path }) => {
        most = Math.max(most, ++open);
        const waitMs = pod === dead || pod === slow ? 2_000 : 0;
        return later(waitMs, null).then(() => {
          open -= 1;
          if (waitMs > 0) return SILENT;
          pod.override = null;
          return pod.client().call({ method: 'PUT', path, body: bodies.get(path) ?? '' });
        });
      };
    }
    const { policy } = policyOf(18);
    const bodies = new Map([['/v1/policy', JSON.stringify(policy)]]);
    for (const pod of all) pod.heads = [HEADS];
    let isOver = false;
    const published = store.publish(KEY, { policy, bundles: new Map() }).then(() => {
      isOver = true;
    });
    await clock.pass(1_999);
    const acknowledged = store
      .pods(KEY)
      .filter(({ acknowledgement }) => acknowledgement?.revision === 18);
    expect(acknowledged).toHaveLength(48);
    expect(most).toBe(16);
    expect(isOver).toBe(false);
    await clock.pass(1);
    await published;
    expect(viewOf('pod-0').problem?.code).toBe('NoAnswer');
    expect(viewOf('pod-1').problem?.code).toBe('NoAnswer');
  });

  test('heads that a pod lost are brought again', async () => {
    const [a] = await known('a');
    await store.publish(KEY, policyOf(18));
    a!.heads = [];
    a!.calls.splice(0);
    await store.publish(KEY, policyOf(19));
    expect(a!.calls).toEqual(['PUT /v1/policy', ...PUTS]);
    expect(viewOf('a').acknowledgement?.revision).toBe(19);
  });

  test('a pod that missed it is asked after 1 s, and gets it with that poll', async () => {
    const [a, b] = await known('a', 'b');
    a!.override = () => Promise.resolve(SILENT);
    await store.publish(KEY, policyOf(18));
    expect(viewOf('b').acknowledgement?.revision).toBe(18);
    expect(viewOf('a').problem?.code).toBe('NoAnswer');
    a!.override = null;
    a!.calls.splice(0);
    b!.calls.splice(0);
    await clock.pass(1_000);
    await store.pollDue();
    expect(a!.calls).toEqual(['GET /v1/evidence?after=0', ...PUTS]);
    expect(viewOf('a')).toMatchObject({ problem: null, acknowledgement: { revision: 18 } });
    expect(b!.calls).toEqual([]);
  });

  test('a pod that is silent and lacks it is asked every 5 s, not at the next round', async () => {
    const [a] = await known('a');
    a!.override = () => Promise.resolve(SILENT);
    await store.publish(KEY, policyOf(18));
    await clock.pass(1_000);
    await store.pollDue();
    a!.override = null;
    await clock.pass(5_000);
    await store.pollDue();
    expect(viewOf('a')).toMatchObject({ problem: null, acknowledgement: { revision: 18 } });
  });

  test('a pod that comes later gets it once its backbone is loaded', async () => {
    await known('a');
    await store.publish(KEY, policyOf(18));
    const late = add('late');
    late.loading = { step: 'Loading', failedAttempts: 0, failure: null };
    followAll();
    await store.pollDue();
    expect(late.calls).not.toContain('PUT /v1/policy');
    late.loading = null;
    await clock.pass(5_000);
    await store.pollDue();
    expect(viewOf('late').acknowledgement?.revision).toBe(18);
  });

  test('a pod with a higher policy is left alone: another leader wrote it', async () => {
    const [a] = await known('a');
    await store.publish(KEY, policyOf(30));
    a!.calls.splice(0);
    await store.publish(KEY, policyOf(18));
    expect(a!.calls).toEqual([]);
  });

  test('for a service that is not followed does nothing', async () => {
    await store.publish('ml/unknown', policyOf(1));
    expect(store.pods('ml/unknown')).toEqual([]);
  });
});

describe('following', () => {
  test('pods that left, moved or got other keys lose their connection; the others keep what they said', async () => {
    const [a, b] = ['a', 'b'].map(add);
    followAll();
    await store.pollDue();
    store.follow(KEY, { pods: [a!.pod, { ...b!.pod, adminGeneration: 2 }], pollMs: 30_000 });
    expect(viewOf('a').bootId).toBe('boot-1');
    expect(viewOf('b').bootId).toBeNull();
    expect([a!.openClients, b!.openClients]).toEqual([1, 1]);
    store.follow(KEY, { pods: [], pollMs: 30_000 });
    expect([a!.openClients, b!.openClients]).toEqual([0, 0]);
  });

  test('what comes back for a pod that left meanwhile is dropped', async () => {
    const a = add('a');
    a.override = () => {
      store.unfollow(KEY);
      return undefined;
    };
    followAll();
    await store.pollDue();
    expect(store.pods(KEY)).toEqual([]);
    expect(changes).toEqual([]);
  });

  test('only what decisions read is a change', async () => {
    const pod = add('a');
    followAll();
    await store.pollDue();
    expect(changes).toHaveLength(1);
    for (let i = 0; i < 3; i++) {
      await clock.pass(30_000);
      await store.pollDue();
    }
    expect(changes).toHaveLength(1);
    pod.closeWindows(1);
    await clock.pass(30_000);
    await store.pollDue();
    expect(changes).toHaveLength(2);
    pod.override = () => Promise.resolve(SILENT);
    for (let i = 0; i < 3; i++) {
      await clock.pass(30_000);
      await store.pollDue();
    }
    expect(changes).toHaveLength(3);
    expect(kinds).toEqual(['Figures', 'Figures', 'Pod']);
  });

  test('first words of pods that were there before this process wait for each other, also once it has published; those of later pods do not', async () => {
    add('a');
    add('b');
    followAll();
    await store.publish(KEY, policyOf(18));
    await store.pollDue();
    // Each is then told its policy, and what it answers to that is news.
    expect(kinds.toSorted()).toEqual(['Figures', 'Figures', 'Pod', 'Pod']);
    add('c');
    followAll();
    await store.pollDue();
    expect(kinds.slice(4)).toEqual(['Pod', 'Pod']);
  });

  test('a poll that is missed is none while the last word counts; silence beyond that, and its end, are', async () => {
    const pod = add('a');
    followAll();
    await store.pollDue();
    const round = async (isSilent: boolean): Promise<void> => {
      pod.override = isSilent ? () => Promise.resolve(SILENT) : null;
      await clock.pass(30_000);
      await store.pollDue();
    };
    for (const isSilent of [true, false, true, true, false]) await round(isSilent);
    expect(kinds).toEqual(['Figures']);
    for (const isSilent of [true, true, true, true]) await round(isSilent);
    expect(kinds).toEqual(['Figures', 'Pod']);
    await round(false);
    expect(kinds).toEqual(['Figures', 'Pod', 'Pod']);
  });

  test('the loop polls until the signal, then closes every connection', async () => {
    const pod = add('a');
    followAll();
    const loop = store.run();
    await clock.pass(61_000);
    expect(pod.calls.filter((call) => call.includes('evidence'))).toHaveLength(3);
    ending.abort();
    await loop;
    expect(pod.openClients).toBe(0);
    expect(store.pods(KEY)).toEqual([]);
  });
});
