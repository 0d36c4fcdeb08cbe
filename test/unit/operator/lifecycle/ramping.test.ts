import { describe, expect, test } from 'vitest';
import { bucketOf } from '../../../../server/core/latency-digest.ts';
import type { EvidenceWindow, ServedCounters } from '../../../../crds/wire/evidence.ts';
import type { ServiceSettings } from '../../../../crds/v1alpha1/settings.ts';
import { startStep } from '../../../../operator/lifecycle/checks.ts';
import type {
  CandidateRecord,
  Ledger,
  TrackCounters,
} from '../../../../operator/lifecycle/ledger.ts';
import type { LifecyclePlan, PodReport } from '../../../../operator/lifecycle/types.ts';
import {
  aGrid,
  anAcknowledgement,
  anEvidenceWindow,
  aService,
  servedRows,
  START_MS,
} from '../../../support/builders.ts';
import {
  aLedger,
  aLoadedPod,
  anAttempt,
  aRampingCandidate,
  aServingLedger,
  aVoidedStable,
  BOTH,
  LAMBDA,
  OTHER_REVISION,
  reasonsOf,
  step,
} from '../../../support/ledger-builders.ts';

/** So many requests, each in these milliseconds. */
const inMs = (requests: number, ms: number): Partial<ServedCounters> => {
  const { rows, latency } = servedRows(2, requests);
  return {
    rows,
    latency: latency.map((d) => d.map(([, n]) => [bucketOf(1_000 * ms), n] as const)),
  };
};

const BASELINE: TrackCounters = {
  requests: 5_000,
  errors: 5,
  latency: [[bucketOf(10_000), 5_000]],
};

const ramping = (fields: Partial<CandidateRecord> = {}, ledger: Partial<Ledger> = {}): Ledger =>
  aLedger({
    stage: 'Ramping',
    exitsEnabled: true,
    candidate: aRampingCandidate({
      baseline: { older: BASELINE, newer: { requests: 0, errors: 0, latency: [] } },
      ...fields,
    }),
    ...ledger,
  });

/** Windows of a tick: the candidate's requests and audits, beside stable's. */
function windows(
  served: Partial<ServedCounters>,
  audits = 50,
  disagreements = 0,
  share = 0.25,
): EvidenceWindow[] {
  const shared = { exitsEnabled: true, auditsChosen: audits };
  return [
    anEvidenceWindow({ ...shared, headRevision: null, track: null, exits: [], seq: 1 }),
    anEvidenceWindow({
      ...shared,
      seq: 2,
      headRevision: OTHER_REVISION,
      track: 'candidate',
      share,
      served: { ...servedRows(2, 0), ...served },
      grid: aGrid(audits, disagreements),
    }),
  ];
}

interface Fields {
  readonly windows?: EvidenceWindow[];
  readonly settings?: Partial<ServiceSettings>;
  readonly pods?: readonly PodReport[];
  readonly afterMs?: number;
}

function ramp(ledger: Ledger, fields: Fields = {}): LifecyclePlan {
  const {
    afterMs = 10_000,
    settings,
    pods = [aLoadedPod({ windows: fields.windows ?? [] })],
  } = fields;
  return step(ledger, { nowMs: START_MS + afterMs, settings: aService(settings), pods });
}

describe('a step', () => {
  test('advances when every check passes on enough requests', () => {
    const plan = ramp(ramping(), { windows: windows(inMs(200, 10)) });
    expect(reasonsOf(plan)).toEqual(['RolloutStepAdvanced']);
    expect(plan.policy?.candidate?.share).toBe(1);
    expect(plan.ledger.candidate?.ramp).toMatchObject({ requests: 0, sinceMs: START_MS + 10_000 });
  });

  test('that was the last promotes, and ends the episode', () => {
    const ledger = ramping(
      { ramp: startStep(1, 0.01, START_MS) },
      { episode: { attempts: 2, lookScale: 3 } },
    );
    const plan = ramp(ledger, { windows: windows(inMs(200, 10), 50, 0, 1) });
    expect(reasonsOf(plan)).toEqual(['RolloutPromoted']);
    expect(plan.ledger).toMatchObject({
      stage: 'Serving',
      candidate: null,
      episode: { attempts: 0, lookScale: 1 },
      stable: { headRevision: OTHER_REVISION, lambdaIndex: LAMBDA, off: null },
    });
    expect(plan.policy?.stable).toMatchObject({ lambdaIndex: LAMBDA });
  });

  test('goes on from the share it has when the steps are edited', () => {
    const steps = [
      { share: 0.1, holdMs: 0 },
      { share: 0.6, holdMs: 0 },
    ];
    const plan = ramp(ramping(), { windows: windows(inMs(200, 10)), settings: { steps } });
    expect(plan.policy?.candidate?.share).toBe(0.6);
  });

  test.each<[string, Fields]>([
    ['too few requests came', { windows: windows(inMs(99, 10)) }],
    ['no row was audited', { windows: windows(inMs(200, 10), 0) }],
    ['nothing came in this tick', {}],
    [
      'the hold is not over',
      { windows: windows(inMs(200, 10)), settings: { steps: [{ share: 0.25, holdMs: 10_001 }] } },
    ],
    ['the rollout is paused', { windows: windows(inMs(200, 10)), settings: { paused: true } }],
    [
      'a pod has not acknowledged',
      {
        pods: [
          aLoadedPod({ windows: windows(inMs(200, 10)) }),
          aLoadedPod({ podUid: 'pod-b', acknowledgement: null }),
        ],
      },
    ],
    [
      'a pod runs an older policy',
      {
        pods: [
          aLoadedPod({
            windows: windows(inMs(200, 10)),
            acknowledgement: anAcknowledgement(BOTH, { revision: 0 }),
          }),
        ],
      },
    ],
    [
      'a pod rejected the policy',
      {
        pods: [
          aLoadedPod({
            windows: windows(inMs(200, 10)),
            acknowledgement: anAcknowledgement(BOTH, { result: 'Rejected' }),
          }),
        ],
      },
    ],
    [
      'a pod misses the candidate',
      {
        pods: [
          aLoadedPod({
            windows: windows(inMs(200, 10)),
            acknowledgement: anAcknowledgement(BOTH, { reason: 'CandidateMissing' }),
          }),
        ],
      },
    ],
    ['no pod is ready', { pods: [aLoadedPod({ windows: windows(inMs(200, 10)), ready: false })] }],
  ])('holds when %s', (_why, fields) => {
    const plan = ramp(ramping(), fields);
    expect(plan.decisions).toEqual([]);
    expect(plan.policy?.candidate?.share).toBe(0.25);
  });

  test('does not wait for a pod that is not ready', () => {
    const gone = aLoadedPod({ podUid: 'pod-b', ready: false, acknowledgement: null });
    const pods = [aLoadedPod({ windows: windows(inMs(200, 10)) }), gone];
    expect(reasonsOf(ramp(ramping(), { pods }))).toEqual(['RolloutStepAdvanced']);
  });

  test('holds when nothing is known to be published', () => {
    const pods = [aLoadedPod({ windows: windows(inMs(200, 10)) })];
    const plan = step(ramping(), { nowMs: START_MS + 10_000, pods, published: null });
    expect(plan.decisions).toEqual([]);
  });

  test('counts the baseline of pods that serve both tracks only, up to the tick before', () => {
    const empty = { requests: 0, errors: 0, latency: [] };
    const ledger = ramping({ baseline: { older: empty, newer: empty } });
    const other = anEvidenceWindow({
      podUid: 'pod-b',
      headRevision: null,
      track: null,
      exits: [],
      served: servedRows(0, 500),
    });
    const [stable, candidate] = windows(inMs(200, 10));
    const own = [{ ...stable!, served: servedRows(0, 700) }, candidate!];
    const pods = [aLoadedPod({ windows: own }), aLoadedPod({ podUid: 'pod-b', windows: [other] })];
    const plan = ramp(ledger, { pods });
    expect(plan.decisions).toEqual([]);
    expect(plan.ledger.candidate?.baseline.newer.requests).toBe(700);
    expect(plan.ledger.candidate?.ramp?.guards).toEqual({});
  });

  test('lets an old baseline fade after 10,000 requests', () => {
    const newer = { ...BASELINE, requests: 9_999 };
    const [stable, candidate] = windows(inMs(10, 10));
    const own = [{ ...stable!, served: servedRows(0, 1) }, candidate!];
    const plan = ramp(ramping({ baseline: { older: BASELINE, newer } }), { windows: own });
    expect(plan.ledger.candidate?.baseline).toMatchObject({
      older: { requests: 10_000 },
      newer: { requests: 0 },
    });
  });
});

describe('a check', () => {
  const all = [
    { type: 'ErrorRate', maxRegression: 0.001 },
    { type: 'LatencyP50', maxRegression: 0.05 },
    { type: 'LatencyP99', maxRegression: 0.05 },
    { type: 'Saving', maxRegression: 0 },
  ] as const;

  test('of disagreement that fails aborts at once, with its figures', () => {
    const plan = ramp(ramping(), { windows: windows(inMs(200, 10), 60, 12) });
    expect(plan.ledger).toMatchObject({
      stage: 'Collecting',
      candidate: null,
      failed: [{ headRevision: OTHER_REVISION, reason: 'RolloutAborted' }],
    });
    expect(plan.decisions[0]).toMatchObject({
      reason: 'RolloutAborted',
      details: { type: 'Disagreement', samples: 60, value: 0.2, limit: 0.01, share: 0.25 },
    });
    expect(plan.decisions[0]?.message).toContain('Disagreement failed on 60 samples: 20%');
    expect(plan.policy).toMatchObject({ exitsEnabled: false, candidate: null });
  });

  test.each([
    ['LatencyP99', inMs(200, 12), 'LatencyP99 failed on 400 samples: 100% above 10.6 ms'],
    [
      'ErrorRate',
      { ...inMs(200, 10), errors: 20 },
      'ErrorRate failed on 440 samples: 9.09% against 0.2%',
    ],
  ])('of %s that fails twice in a row aborts', (_type, served, message) => {
    const once = ramp(ramping(), { windows: windows(served) });
    expect(once.decisions).toEqual([]);
    expect(once.ledger.candidate?.ramp?.failing).toHaveLength(1);
    const again = windows(served).map((window) => ({ ...window, seq: window.seq + 2 }));
    const twice = ramp(once.ledger, { windows: again });
    expect(twice.decisions[0]?.message).toContain(message);
    expect(twice.ledger.candidate).toBeNull();
  });

  test.each([
    ['LatencyP99', inMs(200, 12)],
    ['ErrorRate', { ...inMs(200, 10), errors: 20 }],
  ])('of %s leaves out a pod on which stable breaks the limit too', (type, served) => {
    const [stable, candidate] = windows(served);
    const { rows = [], latency = [], errors = 0 } = served;
    const plain = { rows: rows.slice(-1), latency: latency.slice(-1), errors };
    const both = [{ ...stable!, served: servedRows(0, 0, plain) }, candidate!];
    const plan = ramp(ramping(), { windows: both });
    expect(plan.ledger.candidate?.ramp?.failing).toEqual([]);
    expect(plan.ledger.candidate?.ramp?.guards).toMatchObject({
      [type]: { requests: 0, above: 0 },
    });
  });

  test('of all kinds passes an equal candidate', () => {
    const fields = { windows: windows(inMs(200, 10)), settings: { checks: all } };
    expect(reasonsOf(ramp(ramping(), fields))).toEqual(['RolloutStepAdvanced']);
  });

  test('of the saving is inconclusive before 500 paired rows, when stable lets rows leave', () => {
    const beside = aServingLedger({ ...ramping(), stable: aServingLedger().stable });
    const settings = { checks: [{ type: 'Saving', maxRegression: 0.01 }] as const };
    expect(ramp(beside, { windows: windows(inMs(200, 10)), settings }).decisions).toEqual([]);
  });

  test.each([
    ['passes when the mean is above the limit', { mean: 0, upper: 0.1 }, 'RolloutStepAdvanced'],
    ['is inconclusive when only the upper limit is', { mean: -0.02, upper: 0.1 }, null],
    ['fails when the upper limit is below', { mean: -0.05, upper: -0.02 }, 'RolloutAborted'],
  ])('of the saving %s', (_rule, saving, reason) => {
    const paired = {
      stableLambdaIndex: LAMBDA,
      candidateLambdaIndex: LAMBDA,
      joint: [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
      onlyStableWrong: 0,
      onlyCandidateWrong: 0,
      saving: { look: 9, rows: 600, lower: -0.1, ...saving },
    };
    const record = aRampingCandidate({ paired });
    const failing = { ...record.ramp!, failing: ['Saving'] };
    const ledger = aServingLedger({ stage: 'Ramping', candidate: { ...record, ramp: failing } });
    const settings = { checks: [{ type: 'Saving', maxRegression: 0.01 }] as const };
    const plan = ramp(ledger, { windows: windows(inMs(200, 10)), settings });
    expect(reasonsOf(plan)).toEqual(reason === null ? [] : [reason]);
    if (reason === 'RolloutAborted') expect(plan.ledger.stage).toBe('Serving');
  });

  test('of errors allows one in a million where none are allowed', () => {
    const baseline = {
      older: { ...BASELINE, errors: 0 },
      newer: { requests: 0, errors: 0, latency: [] },
    };
    const settings = { checks: [{ type: 'ErrorRate', maxRegression: 0 }] as const };
    const plan = ramp(ramping({ baseline }), { windows: windows({ ...inMs(50, 10) }), settings });
    expect(plan.ledger.candidate?.ramp?.guards.ErrorRate?.limit).toBe(1e-6);
  });
});

describe('a step past its deadline', () => {
  const late = { afterMs: 21_600_000 };

  test('holds, and says so once', () => {
    const plan = ramp(ramping(), late);
    expect(plan.decisions).toMatchObject([{ reason: 'Inconclusive' }]);
    expect(plan.policy?.candidate?.share).toBe(0.25);
    expect(ramp(plan.ledger, late).decisions).toEqual([]);
  });

  test('aborts where the settings say so', () => {
    const plan = ramp(ramping(), { ...late, settings: { onInconclusive: 'Abort' } });
    expect(plan.ledger.failed).toMatchObject([{ reason: 'Inconclusive' }]);
  });

  test.each([{ paused: true }, { exitMode: 'Shadow' as const }])(
    'is not overdue by request: %o',
    (settings) => {
      const plan = ramp(ramping(), { ...late, settings: { onInconclusive: 'Abort', ...settings } });
      expect(plan.ledger.stage).toBe('Ramping');
    },
  );
});

describe('the same heads after an abort', () => {
  test('are not raised again, and stay as they were', () => {
    const { headRevision } = BOTH[0]!;
    const record = aRampingCandidate({ kind: 'Raise', headRevision, evidence: null });
    const candidate = {
      ...record,
      baseline: { older: BASELINE, newer: { requests: 0, errors: 0, latency: [] } },
      ramp: { ...record.ramp!, failing: ['LatencyP99'] },
    };
    const stable = { ...aServingLedger().stable!, lambdaIndex: 50 };
    const ledger = aServingLedger({ stage: 'Ramping', stable, candidate });
    const slow = windows(inMs(200, 20), 0).map((w) =>
      w.headRevision === null ? w : { ...w, headRevision },
    );
    const plan = ramp(ledger, { windows: slow });
    expect(reasonsOf(plan)).toEqual(['RolloutAborted']);
    expect(plan.ledger).toMatchObject({
      stage: 'Serving',
      failed: [],
      stable: { lambdaIndex: 50, raiseBlocked: true },
    });
    expect(ramp(plan.ledger).ledger.stage).toBe('Serving');
  });

  test('that were recertified are failed', () => {
    const candidate = aRampingCandidate({
      kind: 'Recertified',
      headRevision: BOTH[0]!.headRevision,
      evidence: null,
    });
    const evidence = aRampingCandidate().evidence ?? anAttempt();
    const ledger = ramping({ ...candidate }, { stable: aVoidedStable({ evidence }) });
    const bad = windows(inMs(200, 10), 60, 12).map((w) =>
      w.headRevision === null ? w : { ...w, headRevision: BOTH[0]!.headRevision },
    );
    const plan = ramp(ledger, { windows: bad });
    expect(plan.ledger).toMatchObject({ stage: 'Collecting', stable: null, candidate: null });
    expect(plan.ledger.failed).toMatchObject([{ headRevision: BOTH[0]!.headRevision }]);
  });
});
