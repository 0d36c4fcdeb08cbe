import { describe, expect, test } from 'vitest';
import type { Track } from '../../../crds/wire/evidence.ts';
import type { Serving } from '../../../server/serving.ts';
import {
  DEFAULT_LIMITS,
  answeringExits,
  createServingControl,
  limitsOf,
  policyLabel,
  trackOf,
} from '../../../server/serving.ts';
import {
  bringsHeadsAlone,
  candidateShareOf,
  compareSafety,
  isSamePlan,
  planPolicy,
  tracksToHold,
} from '../../../server/plan-policy.ts';
import { FAKE_COSTS } from '../../support/fake-engine.ts';
import { aCandidate, aPolicy, aTrack, fakeBundle } from '../../support/test-server.ts';

const A = `sha256:${'a'.repeat(64)}`;
const C = `sha256:${'c'.repeat(64)}`;
const BUNDLES = new Map([
  [A, fakeBundle(1)],
  [C, fakeBundle(2)],
]);
const UNCUT = { beforeCut: (_: string, exits: readonly string[]) => exits };
const POLICY = aPolicy({ stable: aTrack(A), candidate: aCandidate(C, 0.25) });

function aServing(planId: number, more: Partial<Serving> = {}): Serving {
  return {
    policy: POLICY,
    planId,
    plan: planPolicy(POLICY, BUNDLES, UNCUT),
    costs: FAKE_COSTS,
    knownAnswers: [],
    candidateShare: 0.25,
    held: new Set<Track>(),
    ...more,
  };
}

describe('plans', () => {
  test('are released once no batch uses them, and never while in force', () => {
    const released: number[] = [];
    const control = createServingControl((planId) => released.push(planId));
    expect(control.acquire()).toBeNull();
    control.swap(aServing(1));
    const first = control.acquire()!;
    const second = control.acquire()!;
    control.release(second);
    expect(released).toEqual([]);
    control.swap(aServing(2));
    expect(released).toEqual([]);
    control.release(first);
    expect(released).toEqual([1]);
    control.swap(aServing(3));
    expect(released).toEqual([1, 2]);
  });

  test('two snapshots on one plan release it once', () => {
    const released: number[] = [];
    const control = createServingControl((planId) => released.push(planId));
    control.swap(aServing(1));
    const running = control.acquire()!;
    control.swap(aServing(1, { held: new Set<Track>(['stable']) }));
    control.release(running);
    expect(released).toEqual([]);
    control.swap(aServing(2));
    expect(released).toEqual([1]);
  });

  test('of an engine that died are forgotten: nothing is current, nothing is released', () => {
    const released: number[] = [];
    const control = createServingControl((planId) => released.push(planId));
    control.swap(aServing(1));
    const running = control.acquire()!;
    control.forgetPlans();
    expect(control.current()).toBeNull();
    expect(control.latest()?.planId).toBe(1);
    control.release(running);
    control.swap(aServing(7));
    expect(released).toEqual([]);
  });
});

test('a snapshot says who may answer, under which policy, within which limits', () => {
  const serving = aServing(1, { held: new Set<Track>(['candidate']) });
  expect(answeringExits(serving, 'stable')).toEqual(['early', 'late']);
  expect(answeringExits(serving, 'candidate')).toEqual([]);
  expect(policyLabel(serving)).toBe('1.1');
  expect(policyLabel(aServing(1, { policy: null }))).toBe('0.0');
  expect(limitsOf(serving)).toBe(POLICY.limits);
});

test('who may answer is looked up by track, and nobody may without a lambda or without heads', () => {
  const plan = aServing(1).plan;
  const without = (change: Partial<(typeof plan.tracks)[number]>) =>
    aServing(1, { plan: { ...plan, tracks: plan.tracks.map((one) => ({ ...one, ...change })) } });
  expect(trackOf(aServing(1), 'candidate')).toMatchObject({ track: 'candidate', headRevision: C });
  expect(answeringExits(without({ lambdaIndex: null }), 'stable')).toEqual([]);
  const empty = aServing(1, { plan: { ...plan, tracks: [] } });
  expect(trackOf(empty, 'stable')).toBeNull();
  expect(answeringExits(empty, 'stable')).toEqual([]);
});

test('before a policy the limits are those of the API', () => {
  expect(limitsOf(null)).toBe(DEFAULT_LIMITS);
  expect(limitsOf(aServing(1, { policy: null }))).toBe(DEFAULT_LIMITS);
  expect(DEFAULT_LIMITS).toEqual({
    ...{ maxBatchSize: 32, maxQueueDelayMs: 2, maxQueueLength: 1024 },
    ...{ maxRequestBytes: 16_777_216, maxConcurrentRequests: 256, requestTimeoutMs: 30_000 },
  });
});

test('snapshots that are taken are counted, and each swap is told', () => {
  const control = createServingControl(() => undefined);
  const told: number[] = [];
  control.onSwap(({ planId }) => told.push(planId));
  control.acquire();
  control.swap(aServing(1));
  control.acquire();
  control.swap(aServing(2));
  expect(control.taken()).toBe(2);
  expect(told).toEqual([1, 2]);
});

describe('from a policy to a plan', () => {
  test('exits answer only with exits enabled and a lambda', () => {
    const active = (policy: typeof POLICY) =>
      planPolicy(policy, BUNDLES, UNCUT).tracks.map(({ activeExits }) => activeExits.length);
    expect(active(POLICY)).toEqual([2, 2]);
    expect(active({ ...POLICY, exitsEnabled: false })).toEqual([0, 0]);
    expect(active({ ...POLICY, stable: aTrack(A, { lambdaIndex: null }) })).toEqual([0, 2]);
  });

  test('a local cut shortens the list, a missing bundle leaves its track out', () => {
    const cut = { beforeCut: () => ['early'] };
    expect(planPolicy(POLICY, BUNDLES, cut).tracks[0]?.activeExits).toEqual(['early']);
    expect(planPolicy(POLICY, new Map([[A, fakeBundle(1)]]), UNCUT).tracks).toHaveLength(1);
  });

  test('exits that are not disabled are sampled', () => {
    const policy = aPolicy({
      exits: [
        { name: 'one', tensor: 'cut_a', mode: 'Disabled' },
        { name: 'two', tensor: 'cut_b', mode: 'Shadow' },
        { name: 'three', modelDigest: A, mode: 'Active' },
      ],
    });
    expect(planPolicy(policy, BUNDLES, UNCUT).samples).toEqual([
      { name: 'two', tensor: 'cut_b' },
      { name: 'three', modelDigest: A },
    ]);
  });

  test('equal plans are recognised without looking at weights', () => {
    const plan = planPolicy(POLICY, BUNDLES, UNCUT);
    expect(isSamePlan(plan, planPolicy({ ...POLICY, revision: 2 }, BUNDLES, UNCUT))).toBe(true);
    expect(
      isSamePlan(
        plan,
        planPolicy({ ...POLICY, stable: aTrack(A, { lambdaIndex: 3 }) }, BUNDLES, UNCUT),
      ),
    ).toBe(false);
  });

  test('tracks that answer more than the wanted plan are held', () => {
    const wanted = planPolicy(POLICY, BUNDLES, {
      beforeCut: (revision, exits) => (revision === A ? [] : exits),
    });
    expect(tracksToHold(aServing(1), wanted)).toEqual(['stable']);
    expect(tracksToHold(aServing(1), aServing(2).plan)).toEqual([]);
  });

  test.each([
    ['in force', POLICY, false, 0.25],
    ['no policy', null, false, 0],
    ['stale', POLICY, true, 0],
    ['exits off', { ...POLICY, exitsEnabled: false }, false, 0],
  ])('the candidate’s share, %s', (_, policy, isStale, share) => {
    expect(candidateShareOf(policy, aServing(1).plan, isStale)).toBe(share);
  });

  test('the candidate has no share without its heads', () => {
    expect(candidateShareOf(POLICY, { tracks: [], samples: [] }, false)).toBe(0);
  });

  test('safety that takes and gives at once counts as taking', () => {
    const nothing = new Set<Track>();
    const stable = new Set<Track>(['stable']);
    const compare = (serving: Partial<Serving>, held: ReadonlySet<Track>, isStale = false) =>
      compareSafety(aServing(1, serving), POLICY, { held, isStale });
    expect(compare({}, nothing)).toBe('Same');
    expect(compare({}, stable)).toBe('Less');
    expect(compare({}, nothing, true)).toBe('Less');
    expect(compare({ held: stable }, nothing)).toBe('More');
    expect(compare({ candidateShare: 0 }, nothing)).toBe('More');
    expect(compare({ candidateShare: 0 }, stable)).toBe('Less');
  });
});

describe('a policy may be made to wait', () => {
  const inForce = aServing(1, {
    plan: planPolicy(aPolicy({ stable: aTrack(A, { lambdaIndex: 3 }) }), BUNDLES, UNCUT),
  });
  const wish = { revision: 2 };

  test('when it only brings other heads', () => {
    expect(bringsHeadsAlone(inForce, aPolicy({ ...wish, stable: aTrack(C) }))).toBe(true);
    const candidate = aCandidate(C, 0.25);
    const stable = aTrack(A, { lambdaIndex: 3 });
    expect(bringsHeadsAlone(inForce, aPolicy({ ...wish, stable, candidate }))).toBe(true);
  });

  test.each([
    ['has no heads to open', { stable: aTrack(A, { lambdaIndex: 3 }) }],
    ['disables exits', { exitsEnabled: false, stable: aTrack(C) }],
    ['lets fewer exits answer', { stable: aTrack(C, { activeExits: [] }) }],
    ['takes the lambda away', { stable: aTrack(C, { lambdaIndex: null, certificate: null }) }],
    ['takes the heads of a track away', { stable: null, candidate: aCandidate(C, 0.25) }],
    [
      'lets the same heads answer at a smaller lambda',
      { stable: aTrack(A, { lambdaIndex: 2 }), candidate: aCandidate(C, 0.25) },
    ],
  ])('not when it %s', (_, change) => {
    expect(bringsHeadsAlone(inForce, aPolicy({ ...wish, ...change }))).toBe(false);
  });

  test('when no exit of the heads in force answers anyway', () => {
    const silent = aTrack(A, { activeExits: [] });
    const held = aServing(1, { plan: planPolicy(aPolicy({ stable: silent }), BUNDLES, UNCUT) });
    const next = aPolicy({ ...wish, stable: null, candidate: aCandidate(C, 0.25) });
    expect(bringsHeadsAlone(held, next)).toBe(true);
  });
});
