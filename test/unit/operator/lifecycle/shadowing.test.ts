import { describe, expect, test } from 'vitest';
import type { EvidenceWindow, PairedEvidence } from '../../../../crds/wire/evidence.ts';
import type { Ledger, PairedRecord } from '../../../../operator/lifecycle/ledger.ts';
import {
  aDigest,
  anAcknowledgement,
  anEvidenceWindow,
  aPod,
  aRevision,
  aService,
  EXITS,
  REVISION,
  START_MS,
} from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aLoadedPod,
  aLook,
  aLookedAttempt,
  anAttempt,
  aServingLedger,
  aStable,
  blocksOf,
  BOTH,
  LAMBDA,
  OTHER_REVISION,
  reasonsOf,
  step,
} from '../../../support/ledger-builders.ts';

const staging = (sinceMs = START_MS) =>
  aLedger({ stage: 'Staging', stageSinceMs: sinceMs, candidate: aCandidate() });
const bare = aPod({ podUid: 'pod-b', acknowledgement: anAcknowledgement([], { podUid: 'pod-b' }) });

describe('staging', () => {
  test('ends when every ready pod holds the verified heads', () => {
    expect(step(staging(), { pods: [aLoadedPod(), bare] }).ledger.stage).toBe('Staging');
    const plan = step(staging(), { pods: [aLoadedPod(), { ...bare, ready: false }] });
    expect(plan.decisions).toMatchObject([{ reason: 'Shadowing', headRevision: OTHER_REVISION }]);
    expect(plan.decisions[0]?.message).toContain('loaded on the pod');
    const two = [aLoadedPod(), aLoadedPod({ podUid: 'pod-b' })];
    expect(step(staging(), { pods: two }).decisions[0]?.message).toContain('all 2 pods');
  });

  test('holds without a ready pod, however long', () => {
    const pods = [{ ...bare, ready: false }];
    expect(step(staging(), { pods, nowMs: START_MS + 1e7 }).ledger.stage).toBe('Staging');
  });

  test('fails after 15 minutes and remembers the digest, with what a pod said', () => {
    const said = anAcknowledgement([], { message: 'The bundle is missing.' });
    const pods = [aLoadedPod(), bare, { ...bare, acknowledgement: said }];
    const plan = step(staging(), { pods, nowMs: START_MS + 900_000 });
    expect(plan.ledger).toMatchObject({ stage: 'Collecting', candidate: null });
    expect(plan.ledger.failed).toMatchObject([
      { headRevision: OTHER_REVISION, reason: 'LoadFailed' },
    ]);
    expect(plan.decisions[0]?.message).toContain('Only 1 of 3 ready pods');
    expect(plan.decisions[0]?.message).toContain('The bundle is missing.');
    const silent = step(staging(), { pods: [bare], nowMs: START_MS + 900_000 });
    expect(reasonsOf(silent)).toEqual(['LoadFailed']);
  });

  test('says once which pod gives other known answers, and counts nothing of it', () => {
    const wrong = anAcknowledgement(BOTH.map((r) => ({ ...r, knownAnswers: [] })));
    const pods = [aLoadedPod({ acknowledgement: wrong })];
    const plan = step(staging(), { pods });
    expect(reasonsOf(plan)).toEqual(['KnownAnswerMismatch']);
    expect(reasonsOf(step(plan.ledger, { pods }))).toEqual([]);
    expect(step(plan.ledger).ledger.mismatched).toEqual([]);
  });

  test.each([
    ['another backbone', { backboneDigest: `sha256:${'d'.repeat(64)}` }],
    ['no known answers', { knownAnswers: [] }],
  ])('counts a pod with %s as not loaded', (_what, fields) => {
    const pods = [aLoadedPod({ acknowledgement: anAcknowledgement(BOTH, fields) })];
    expect(step(staging(), { pods }).ledger.stage).toBe('Staging');
  });

  test('takes heads back that pods crash on twice within two minutes of loading them', () => {
    const boots = (a: string, b: string) => [
      aLoadedPod({ bootId: a }),
      aLoadedPod({ podUid: 'pod-b', bootId: b }),
    ];
    const loaded = step(staging(), { pods: boots('1', '1') });
    const once = step(loaded.ledger, { pods: boots('2', '1'), nowMs: START_MS + 60_000 });
    expect(once.ledger.candidate?.crashes).toBe(1);
    const twice = step(once.ledger, { pods: boots('3', '1'), nowMs: START_MS + 120_000 });
    expect(twice.ledger).toMatchObject({ candidate: null, failed: [{ reason: 'CrashedPods' }] });
    const calm = step(once.ledger, { pods: boots('3', '1'), nowMs: START_MS + 180_000 });
    expect(calm.ledger.candidate?.crashes).toBe(1);
  });
});

const shadowing = (fields: Parameters<typeof aCandidate>[0] = {}) =>
  aLedger({ stage: 'Shadowing', candidate: aCandidate(fields) });

describe('shadowing', () => {
  test('ends at the first look whose lambda pays', () => {
    const plan = step(shadowing({ evidence: aLookedAttempt(1, LAMBDA) }));
    expect(reasonsOf(plan)).toEqual(['RolloutStarted', 'ExitsEnabled']);
    expect(plan.policy?.candidate).toMatchObject({
      stage: 'Ramping',
      share: 0.25,
      lambdaIndex: LAMBDA,
      certificate: { audits: 1_000, disagreements: 0, attempt: 1, look: 1 },
      activeExits: EXITS,
    });
  });

  test('takes a look once: the same rows are not looked at again', () => {
    const evidence = anAttempt({ blocks: blocksOf(1_000), answeredRows: 1_000 });
    const settings = aService({ minSaving: 0.9 });
    const first = step(shadowing({ evidence }), { settings });
    expect(reasonsOf(first)).toEqual(['Certified']);
    expect(first.ledger.candidate?.evidence?.looks).toHaveLength(1);
    expect(step(first.ledger, { settings }).decisions).toEqual([]);
  });

  test('says of a look that nothing passed, and how rows come', () => {
    const look = { blocks: blocksOf(1_000), answeredRows: 1_000, budget: 0.002 };
    const plan = step(shadowing({ evidence: anAttempt(look) }), {});
    expect(plan.decisions).toMatchObject([
      { reason: 'NoCertificate', details: { lambdaIndex: null } },
    ]);
  });

  test('waits after a look whose lambda does not pay', () => {
    const settings = aService({ minSaving: 0.5 });
    const plan = step(shadowing({ evidence: aLookedAttempt(2, LAMBDA) }), { settings });
    expect([plan.ledger.stage, plan.decisions]).toEqual(['Shadowing', []]);
    expect(plan.policy?.candidate).toMatchObject({
      share: 0,
      stage: 'Shadowing',
      lambdaIndex: LAMBDA,
    });
  });

  test('after the last look without a lambda is not certified, and the digest is remembered', () => {
    const plan = step(shadowing({ evidence: aLookedAttempt(3, null) }));
    expect(plan.ledger).toMatchObject({
      stage: 'Collecting',
      candidate: null,
      failed: [{ headRevision: OTHER_REVISION, reason: 'NotCertified' }],
    });
    expect(plan.decisions[0]?.message).toContain(
      'After 10,000 audited rows no lambda is proven within 1%: 2,500 disagreements',
    );
  });

  test('of heads beside others that serve says that those stay', () => {
    const evidence = aLookedAttempt(3, null);
    const { stable } = aServingLedger();
    const message = (ledger: Ledger) => step(ledger).decisions[0]?.message;
    expect(message(shadowing({ evidence }))).toContain('at the smallest. Exits stay off.');
    expect(message({ ...shadowing({ evidence }), stable })).toContain(
      'at the smallest. Stable stays.',
    );
    const off = { ...stable!, off: 'Alarm' } as const;
    expect(message({ ...shadowing({ evidence }), stable: off })).toContain('Exits stay off.');
  });

  test('after the last look with a lambda that does not pay is not worthwhile', () => {
    const settings = aService({ minSaving: 0.5 });
    const plan = step(shadowing({ evidence: aLookedAttempt(3, LAMBDA) }), { settings });
    expect(plan.ledger.failed).toMatchObject([{ reason: 'NotWorthwhile' }]);
    expect(plan.decisions[0]?.message).toContain('saves 39.2%, less than the 50% asked for');
  });

  test('with bursts at a failed last look makes the looks of the next attempt larger', () => {
    const looks = [{ ...aLook(3, null, 10_000), dispersion: 5 }];
    const blocks = { ...blocksOf(10_000), squares: Array.from({ length: 120 }, () => 5.862) };
    const dis = Array.from({ length: 120 }, () => 200);
    const evidence = anAttempt({ looks, blocks: { ...blocks, closed: { ...blocks.closed, dis } } });
    const plan = step(shadowing({ evidence }));
    expect(plan.decisions[0]?.message).toContain('Rows come in bursts (D 5.00)');
    expect(plan.ledger.episode.lookScale).toBeCloseTo(5, 6);
  });

  test.each([
    ['exits are to shadow only', { exitMode: 'Shadow' as const }],
    ['heads are only recommended', { rollsOut: false }],
  ])('does not ramp while %s', (_, more) => {
    const settings = aService(more);
    const plan = step(shadowing({ evidence: aLookedAttempt(1, LAMBDA) }), { settings });
    expect(plan.ledger).toMatchObject({ stage: 'Shadowing', exitsEnabled: false });
  });

  test('starts its rows anew when no look came within 7 days', () => {
    const evidence = anAttempt({ blocks: blocksOf(500, 10), answeredRows: 500 });
    const nowMs = START_MS + 604_800_000;
    const plan = step(shadowing({ evidence }), { nowMs });
    expect(reasonsOf(plan)).toEqual(['InsufficientSamples']);
    expect(plan.ledger.candidate?.evidence).toMatchObject({
      attempt: 1,
      startedAtMs: nowMs,
      blocks: { closed: { n: 0 } },
    });
  });
});

/** Stable's windows and those of a candidate that is compared with it. */
function pairedWindows(fields: Partial<PairedEvidence> = {}): EvidenceWindow[] {
  const paired = {
    stableHeadRevision: REVISION,
    stableExits: EXITS,
    stableLambdaIndex: LAMBDA,
    candidateLambdaIndex: LAMBDA,
    joint: [
      [0, 0, 0],
      [0, 0, 0],
      [600, 0, 0],
    ],
    onlyStableWrong: 1,
    onlyCandidateWrong: 2,
    ...fields,
  };
  return [anEvidenceWindow({ headRevision: OTHER_REVISION, track: 'candidate', paired, share: 0 })];
}

const besideStable = (fields: Parameters<typeof aCandidate>[0] = {}) =>
  aServingLedger({
    stage: 'Shadowing',
    candidate: aCandidate({ evidence: aLookedAttempt(1, LAMBDA), ...fields }),
  });

const SPENT: PairedRecord = {
  stableLambdaIndex: LAMBDA,
  candidateLambdaIndex: LAMBDA,
  joint: [
    [20_000, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
  onlyStableWrong: 0,
  onlyCandidateWrong: 0,
  saving: null,
};

describe('failed heads', () => {
  test('are remembered once each, the last ten', () => {
    const failed = [OTHER_REVISION, ...Array.from({ length: 9 }, (_, i) => aDigest(i))].map(
      (headRevision) => ({ headRevision, reason: 'Alarm' as const, atMs: START_MS }),
    );
    const rejected = aLedger({
      stage: 'Shadowing',
      failed,
      candidate: aCandidate({ evidence: aLookedAttempt(3, null) }),
    });
    const { ledger } = step(rejected);
    expect(ledger.failed).toHaveLength(10);
    expect(ledger.failed.at(-1)).toMatchObject({
      headRevision: OTHER_REVISION,
      reason: 'NotCertified',
    });
  });
});

describe('a candidate beside stable', () => {
  test('is compared from its certificate on, and goes when it clearly saves more', () => {
    const certified = step(besideStable());
    expect(certified.ledger.stage).toBe('Shadowing');
    expect(certified.policy?.auditRate).toBe(0.1);
    expect(certified.policy?.candidate).toMatchObject({ share: 0, lambdaIndex: LAMBDA });
    const pods = [aLoadedPod({ windows: pairedWindows() })];
    const plan = step(certified.ledger, { pods });
    expect(plan.ledger.candidate?.paired).toMatchObject({
      onlyStableWrong: 1,
      onlyCandidateWrong: 2,
      saving: { look: 0, rows: 600 },
    });
    expect(plan.ledger.stage).toBe('Ramping');
  });

  test.each([
    ['of other lambdas', { candidateLambdaIndex: 50 }],
    ['of another stable', { stableHeadRevision: OTHER_REVISION }],
  ])('is not compared on rows %s', (_what, fields) => {
    const certified = step(besideStable());
    const pods = [aLoadedPod({ windows: pairedWindows(fields) })];
    const plan = step(certified.ledger, { pods });
    expect(plan.ledger.candidate?.paired?.joint.flat().every((rows) => rows === 0)).toBe(true);
  });

  test('goes when 20,000 rows show nothing better, and stable stays', () => {
    const candidate = {
      lambdaIndex: LAMBDA,
      certificate: aStable().certificate,
      paired: SPENT,
    };
    const plan = step(besideStable(candidate));
    expect(plan.ledger).toMatchObject({ stage: 'Serving', failed: [{ reason: 'NotBetter' }] });
    expect(plan.decisions[0]?.message).toContain(
      'On 20,000 rows that both judged, the candidate saves 0%',
    );
    expect(plan.policy).toMatchObject({ exitsEnabled: true, candidate: null });
  });

  test('goes when it is clearly less faithful before any look at the saving', () => {
    const paired = {
      ...SPENT,
      joint: [
        [100, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
      onlyCandidateWrong: 7,
    };
    const candidate = { lambdaIndex: LAMBDA, certificate: aStable().certificate, paired };
    const plan = step(besideStable(candidate));
    expect(plan.ledger.failed).toMatchObject([{ reason: 'NotBetter' }]);
    expect(plan.decisions[0]?.message).toContain('saves an unknown share more');
  });

  test('is not helped by a joint table of another shape', () => {
    const certified = step(besideStable());
    const pods = [aLoadedPod({ windows: pairedWindows({ joint: [] }) })];
    const plan = step(certified.ledger, { pods });
    expect(plan.ledger.candidate?.paired?.joint.flat().every((rows) => rows === 0)).toBe(true);
  });

  test('holds while the facts of stable are lost, whose costs it is compared with', () => {
    const candidate = { lambdaIndex: LAMBDA, certificate: aStable().certificate, paired: SPENT };
    const revisions = [aRevision({ headRevision: OTHER_REVISION })];
    const plan = step(besideStable(candidate), { revisions });
    expect(plan.policy?.stable).toBeNull();
    expect(plan.policy?.exitsEnabled).toBe(false);
    expect(plan.ledger.candidate?.paired?.saving ?? null).toBeNull();
  });

  test('needs only certificate and saving when stable lets nothing leave', () => {
    const ledger = besideStable();
    const off = { ...ledger, stable: aStable({ off: 'NotWorthwhile' }) };
    expect(step(off).ledger.stage).toBe('Ramping');
  });
});
