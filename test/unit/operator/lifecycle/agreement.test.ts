// Services whose budget bounds the mean F1 loss of boxes (exits.md 6.6, 12), against the same rows where any disagreement counts.
import { describe, expect, test } from 'vitest';
import type { AgreementName } from '../../../../crds/wire/agreement.ts';
import type { EvidenceWindow } from '../../../../crds/wire/evidence.ts';
import { LAMBDA_COUNT } from '../../../../crds/wire/lambda-grid.ts';
import { countsAt } from '../../../../operator/lifecycle/attempts.ts';
import { startStep } from '../../../../operator/lifecycle/checks.ts';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import { disagreementText } from '../../../../operator/lifecycle/text.ts';
import type { LifecyclePlan } from '../../../../operator/lifecycle/types.ts';
import { certificateHolds } from '../../../../server/core/certificate.ts';
import { boundedLossUpper } from '../../../../server/core/bounded-loss.ts';
import { meanS } from '../../../../server/core/detector.ts';
import {
  anEvidenceWindow,
  aService,
  servedRows,
  START_MS,
  type WindowFields,
} from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aLoadedPod,
  aLookedAttempt,
  anAttempt,
  aRampingCandidate,
  aServingLedger,
  aStable,
  aVoidedStable,
  LAMBDA,
  OTHER_REVISION,
  reasonsOf,
  step,
} from '../../../support/ledger-builders.ts';

const F1 = { agreement: 'F1' } as const;

/** Columns of losses where so many rows lose so many tenths at every lambda. */
function columns(rows: number, tenths: number): readonly (readonly number[])[] {
  return Array.from({ length: 10 }, (_, i) =>
    new Array<number>(LAMBDA_COUNT).fill(i + 1 === tenths ? rows : 0),
  );
}

interface Lossy extends WindowFields {
  readonly audits: number;
  readonly rows: number;
  readonly tenths: number;
}

function lossyWindow({ rows, tenths, ...fields }: Lossy): EvidenceWindow {
  return anEvidenceWindow({
    disagreements: rows,
    losses: columns(rows, tenths),
    headRevision: OTHER_REVISION,
    track: 'candidate',
    ...fields,
  });
}

const TICKS = 20;
const LOST_ROWS = 7;

/** Twenty ticks of 51 rows, seven of which lose that much; in all a look. */
function lookAt(
  agreement: AgreementName,
  tenths: number,
  windowOf: (fields: Lossy) => EvidenceWindow = lossyWindow,
): LifecyclePlan {
  const of = agreement === 'F1' ? F1 : {};
  let ledger: Ledger = aLedger({
    stage: 'Shadowing',
    candidate: aCandidate({ evidence: anAttempt(of) }),
    episode: { attempts: 1, lookScale: 1 },
  });
  let plan = step(ledger);
  for (let tick = 1; tick <= TICKS; tick++) {
    const window = windowOf({ audits: 51, rows: tick <= LOST_ROWS ? 1 : 0, tenths, seq: tick });
    plan = step(ledger, {
      nowMs: START_MS + tick * 10_000,
      settings: aService({ agreement }),
      pods: [aLoadedPod({ windows: [window] })],
    });
    ledger = plan.ledger;
  }
  return plan;
}

describe('a look', () => {
  test('certifies a mean loss within the budget, on counts that servers accept under F1 alone', () => {
    const plan = lookAt('F1', 3);
    expect(reasonsOf(plan)).toContain('Certified');
    const { policy } = plan;
    expect(policy).toMatchObject({ agreement: 'F1', exitsEnabled: true });
    const { certificate } = policy!.candidate!;
    expect(certificate).toMatchObject({ agreement: 'F1', audits: 51 * TICKS, disagreements: 21 });
    expect(certificateHolds(certificate!, 0.01, 0.95)).toBe(true);
    expect(certificateHolds({ ...certificate!, agreement: 'Strict' }, 0.01, 0.95)).toBe(false);
    const said = plan.decisions.find(({ reason }) => reason === 'Certified')!;
    expect(said.message).toContain('with an F1 loss of 2.1 rows.');
    expect(said.details).toMatchObject({ disagreements: 2.1 });
  });

  test('of the same rows certifies nothing under Strict, which is told as ever', () => {
    const plan = lookAt('Strict', 3);
    expect(reasonsOf(plan)).toEqual(['NoCertificate']);
    expect(plan.decisions[0]?.message).toContain('7 disagreements at the smallest');
    expect(plan.policy).not.toHaveProperty('agreement');
    expect(plan.ledger.candidate?.evidence).not.toHaveProperty('agreement');
  });

  test('counts what a server without losses calls a disagreement as wholly wrong', () => {
    const plan = lookAt('F1', 3, ({ audits, rows, seq = 0 }) =>
      anEvidenceWindow({
        ...{ audits, seq, disagreements: rows },
        ...{ headRevision: OTHER_REVISION, track: 'candidate' },
      }),
    );
    expect(reasonsOf(plan)).toEqual(['NoCertificate']);
    expect(plan.decisions[0]?.message).toContain('an F1 loss of 7.0 rows at the smallest');
    expect(plan.ledger.candidate?.evidence?.looks[0]?.grid.dis[0]).toBe(70);
  });

  test('that was the last is rejected in words of the loss', () => {
    const candidate = aCandidate({
      evidence: { ...aLookedAttempt(3, null), ...F1 },
    });
    const plan = step(aLedger({ stage: 'Shadowing', candidate }), {
      settings: aService(F1),
    });
    const rejected = plan.decisions.find(({ reason }) => reason === 'NotCertified')!;
    expect(rejected.message).toContain('an F1 loss of 250.0 rows at the smallest');
    expect(rejected.details).toMatchObject({ disagreements: 250 });
  });
});

test('counts at a lambda are rows, bounded by the test of the agreement', () => {
  const strict = aLookedAttempt(1, null);
  const { blocks } = strict;
  const dis = blocks.closed.dis.map(() => 25);
  const lossy = { ...strict, ...F1, blocks: { ...blocks, closed: { ...blocks.closed, dis } } };
  expect(countsAt(lossy, LAMBDA)).toMatchObject({
    disagreements: 2.5,
    upperBound: boundedLossUpper(1_000, 2.5, 1 - 0.95),
  });
});

describe('the detector of F1', () => {
  const serving = (agreement: AgreementName) => {
    const of = agreement === 'F1' ? F1 : {};
    const stable = aStable();
    return aServingLedger({
      stable: {
        ...stable,
        evidence: { ...stable.evidence, ...of },
        certificate: { ...stable.certificate!, ...of },
      },
    });
  };
  const watched = (agreement: AgreementName, tenths: number) => {
    const { headRevision } = aStable();
    const window = lossyWindow({
      ...{ audits: 2_000, rows: 100, tenths, headRevision, track: 'stable', epoch: 2 },
    });
    return step(serving(agreement), {
      settings: aService({ agreement }),
      pods: [aLoadedPod({ windows: [window] })],
    });
  };

  test('lets many small losses pass that are too many disagreements', () => {
    // A mean loss of half the budget.
    const calm = watched('F1', 1);
    expect(reasonsOf(calm)).not.toContain('Alarm');
    expect(meanS(calm.ledger.stable!.detector!)).toBeLessThan(20_000);
    expect(reasonsOf(watched('Strict', 1))).toContain('Alarm');
  });

  test('alarms on whole ones as Strict does', () => {
    const alarmed = watched('F1', 10);
    expect(reasonsOf(alarmed)).toContain('Alarm');
    const messageOf = ({ decisions }: typeof alarmed): string =>
      decisions.find(({ reason }) => reason === 'Alarm')!.message;
    expect(messageOf(alarmed)).toMatch(/^Audited F1 loss is above the budget of 1%/);
    expect(messageOf(watched('Strict', 1))).toMatch(/^Audited disagreement is above the budget/);
  });

  test('watches a step of the ramp too, whose figure is the mean loss', () => {
    const rampOf = (agreement: AgreementName) => {
      const of = agreement === 'F1' ? F1 : {};
      const candidate = aRampingCandidate();
      const { ramp } = step(
        aServingLedger({
          stage: 'Ramping',
          candidate: {
            ...candidate,
            evidence: { ...candidate.evidence!, ...of },
            certificate: { ...candidate.certificate!, ...of },
            ramp: startStep(0.25, 0.01, START_MS),
          },
        }),
        {
          settings: aService({ agreement }),
          pods: [
            aLoadedPod({
              windows: [
                lossyWindow({ audits: 500, rows: 10, tenths: 3, served: servedRows(2, 100) }),
              ],
            }),
          ],
        },
      ).ledger.candidate!;
      return ramp!;
    };
    const [lossy, strict] = [rampOf('F1'), rampOf('Strict')];
    expect(lossy).toMatchObject({ audits: 500, disagreements: 3 });
    expect(strict).toMatchObject({ audits: 500, disagreements: 10 });
    expect(meanS(lossy.detector)).toBeLessThan(meanS(strict.detector));
  });
});

describe('another agreement in the manifest', () => {
  const stable = aStable();
  const lossyStable = {
    ...stable,
    evidence: { ...stable.evidence, ...F1 },
    certificate: { ...stable.certificate!, ...F1 },
  };

  test('Strict voids what bounds losses: the same heads are tested again on later rows', () => {
    const plan = step(aServingLedger({ stable: lossyStable }));
    expect(reasonsOf(plan)).toEqual(['NotCertified', 'ExitsDisabled']);
    expect(plan.decisions[0]?.message).toContain('accuracy.agreement is Strict now');
    expect(plan.ledger.stage).toBe('Recertifying');
    expect(plan.ledger.stable).toMatchObject({ certificate: null, off: 'NotCertified' });
    expect(plan.ledger.stable?.evidence).toMatchObject({ looks: [], blocks: { blocks: 0 } });
    expect(plan.ledger.stable?.evidence).not.toHaveProperty('agreement');
    expect(plan.policy).not.toHaveProperty('agreement');
  });

  test('Strict restarts evidence of losses that certified nothing yet', () => {
    const evidence = anAttempt({ ...F1, answeredRows: 7 });
    const voided = aVoidedStable({ evidence });
    const recertifying = step(aLedger({ stage: 'Recertifying', stable: voided }));
    expect(recertifying.ledger.stable?.evidence.answeredRows).toBe(0);
    const shadowing = step(aLedger({ stage: 'Shadowing', candidate: aCandidate({ evidence }) }));
    expect(shadowing.ledger.candidate?.evidence?.answeredRows).toBe(0);
    const ramping = step(
      aServingLedger({ stage: 'Ramping', candidate: aRampingCandidate({ evidence }) }),
    );
    expect(ramping.ledger).toMatchObject({
      stage: 'Shadowing',
      candidate: { ramp: null, certificate: null },
    });
  });

  test('F1 waits for the next attempt: what is within the budget strictly is so in losses', () => {
    const plan = step(aServingLedger(), { settings: aService(F1) });
    expect(reasonsOf(plan)).toEqual([]);
    expect(plan.ledger.stable).toMatchObject({ certificate: stable.certificate });
    expect(plan.policy).toMatchObject({ agreement: 'F1', exitsEnabled: true });
    expect(plan.policy?.stable?.certificate).not.toHaveProperty('agreement');
    const alarmed = step(
      aServingLedger({
        stable: aStable({ detector: { budget: 0.01, s: new Array<number>(6).fill(1e6) } }),
      }),
      { settings: aService(F1) },
    );
    expect(alarmed.ledger.stable?.evidence).toMatchObject(F1);
  });

  test('a tighter budget assesses looks of losses again as losses', () => {
    const plan = step(aServingLedger({ stable: lossyStable }), {
      settings: aService({ ...F1, budget: 0.009 }),
    });
    expect(plan.ledger.stable?.evidence).toMatchObject({ ...F1, budget: 0.009 });
  });
});

test('losses are told in rows with a tenth', () => {
  expect(disagreementText(1_234, {})).toBe('1,234 disagreements');
  expect(disagreementText(1_234, F1)).toBe('an F1 loss of 123.4 rows');
});
