import { describe, expect, test } from 'vitest';
import {
  explainService,
  type ExplainFacts,
} from '../../../../operator/commands/explain/explain-service.ts';
import { renderExplanation } from '../../../../operator/commands/explain/render-explanation.ts';
import { createPaint } from '../../../../operator/commands/output/paint.ts';
import { readServiceView } from '../../../../operator/commands/service/read-service-view.ts';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import { addTick, emptyBlocks } from '../../../../operator/stats/dispersion.ts';
import { START_MS, aGrid } from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  anAttempt,
  aRampingCandidate,
  aServingLedger,
  aStable,
  aVoidedStable,
  blocksOf,
} from '../../../support/ledger-builders.ts';
import {
  ABORTED,
  aCondition,
  ALARM,
  aServiceObject,
  COLLECTING,
  NOW_MS,
  RAMPING,
  SERVING,
  SHADOWING,
} from '../../../support/service-objects.ts';

const NO_LEDGER = {
  ledger: null,
  problem: 'ConfigMap vision-evidence does not exist yet',
} as const;

interface Case {
  readonly status: Record<string, unknown>;
  readonly ledger?: Ledger;
  readonly pods?: ExplainFacts['pods'];
  readonly spec?: Record<string, unknown>;
  readonly annotations?: Record<string, string>;
}

function explain({ status, ledger, pods = null, spec, annotations }: Case) {
  const parts = { status, ...(spec && { spec }), ...(annotations && { annotations }) };
  return explainService({
    service: readServiceView(aServiceObject(parts)),
    ledger: ledger === undefined ? NO_LEDGER : { ledger, problem: null },
    revisions: [],
    pods,
    nowMs: NOW_MS,
  });
}

/** So many audited rows in ten blocks, of which so many disagree at every lambda. */
function shadowing(audits: number, disagreements: number, answeredRows = audits): Ledger {
  let blocks = emptyBlocks(2);
  for (let i = 0; i < 10; i++) blocks = addTick(blocks, aGrid(audits / 10, disagreements / 10));
  return aLedger({
    stage: 'Shadowing',
    candidate: aCandidate({ evidence: anAttempt({ blocks, answeredRows }) }),
    traffic: { rowsPerSecond: 12, auditRate: 1 },
  });
}

const RAMP_START = { ...aRampingCandidate().ramp!, sinceMs: NOW_MS - 260_000, requests: 61 };

const CASES: Record<string, Case> = {
  'collecting-with-pods': {
    status: COLLECTING,
    pods: { rowsPerSecond: 12, recordedRows: 2_860, capacityRows: 0 },
  },
  'collecting-unseen': { status: COLLECTING },
  'collecting-without-traffic': {
    status: COLLECTING,
    pods: { rowsPerSecond: 0, recordedRows: 17, capacityRows: 0 },
  },
  'shadowing-likely': { status: SHADOWING, ledger: shadowing(400, 0) },
  'shadowing-hopeless': { status: SHADOWING, ledger: shadowing(500, 50, 1_000) },
  serving: { status: SERVING, ledger: aServingLedger() },
  ramping: {
    status: RAMPING,
    ledger: aServingLedger({
      stage: 'Ramping',
      candidate: aRampingCandidate({ ramp: RAMP_START }),
    }),
  },
  alarm: {
    status: ALARM,
    ledger: aLedger({
      stage: 'Recertifying',
      stable: aVoidedStable({
        evidence: anAttempt({ blocks: blocksOf(300, 6), answeredRows: 300 }),
      }),
      traffic: { rowsPerSecond: 4, auditRate: 1 },
    }),
  },
  aborted: { status: ABORTED, ledger: aLedger({ traffic: { rowsPerSecond: 40, auditRate: 1 } }) },
  starved: {
    status: {
      ...SERVING,
      conditions: [
        aCondition('Ready', 'True', 'Serving', 'The endpoint answers for this generation.'),
        aCondition(
          'ExitsActive',
          'False',
          'InsufficientSamples',
          'The backbone answers everything.',
        ),
      ],
    },
    ledger: aServingLedger({
      stable: aStable({ off: 'InsufficientSamples', day: { sinceMs: START_MS, audits: 40 } }),
      exitsEnabled: false,
      traffic: { rowsPerSecond: 0.5, auditRate: 0.4 },
    }),
  },
  'not-ready': {
    status: {
      conditions: [
        aCondition(
          'Ready',
          'False',
          'BackboneFetchFailed',
          'the model /models/none.onnx does not exist; check the path of the backbone',
        ),
        aCondition(
          'ExitsActive',
          'Unknown',
          'Starting',
          'No pod has loaded the backbone yet. Wait.',
        ),
      ],
    },
    pods: { rowsPerSecond: 0, recordedRows: 0, capacityRows: 0 },
  },
  unreported: { status: {} },
};

describe('an explanation', () => {
  test.each(Object.entries(CASES))('of a service that is %s', async (name, facts) => {
    const text = `${renderExplanation(explain(facts), NOW_MS, createPaint(false)).join('\n')}\n`;
    await expect(text).toMatchFileSnapshot(`../../../golden/commands/explain-${name}.txt`);
  });

  test('names each exit that does not answer, and why', () => {
    const { perExit } = explain(CASES.serving!);
    expect(perExit.map(({ name, answers }) => [name, answers])).toEqual([
      ['early', true],
      ['late', true],
      ['last', false],
    ]);
    expect(perExit[2]?.why).toBe('mode Shadow: its head runs on audited rows and answers nothing');
  });

  test('estimates the rest of the look from traffic and the share that is audited', () => {
    const { missing } = explain({ status: SHADOWING, ledger: shadowing(500, 0, 1_000) });
    // 500 rows are missing, half of 12 rows a second are audited.
    expect(missing[0]).toMatchObject({ rows: 500, seconds: 500 / 6 });
  });

  test('never promises a time without traffic', () => {
    for (const name of ['collecting-unseen', 'collecting-without-traffic'])
      for (const { seconds } of explain(CASES[name]!).missing) expect(seconds).toBeNull();
  });

  test('waits for ten thousand rows or a quarter of an hour, whichever is sooner', () => {
    const [fast] = explain({
      status: COLLECTING,
      pods: { rowsPerSecond: 100, recordedRows: 0, capacityRows: 0 },
    }).missing;
    expect(fast?.seconds).toBe(100);
    // 20,000 rows for 1,000 classes are more than all that is ever wanted.
    const [slow] = explain({
      status: COLLECTING,
      pods: { rowsPerSecond: 5, recordedRows: 0, capacityRows: 0 },
    }).missing;
    expect(slow?.seconds).toBe(2_000);
    const ledger = aLedger({
      stageSinceMs: NOW_MS - 600_000,
      traffic: { rowsPerSecond: 5, auditRate: 1 },
    });
    const status = { ...COLLECTING, backbone: { classCount: 10 } };
    const [patient] = explain({
      status,
      ledger,
      pods: { rowsPerSecond: 5, recordedRows: 3_000, capacityRows: 0 },
    }).missing;
    expect(patient?.seconds).toBe(300);
  });

  test('tells the cooldown of a training that failed: rows alone do not bring the next one', () => {
    const training = { request: null, waiting: null, count: 1, endedAtMs: NOW_MS - 300_000 };
    const waits = (endedAtMs: number | null): (number | null)[] =>
      explain({ status: COLLECTING, ledger: aLedger({ training: { ...training, endedAtMs } }) })
        .missing.filter(({ what }) => what === 'The cooldown of the last training has to pass')
        .map(({ seconds }) => seconds);
    expect(waits(NOW_MS - 300_000)).toEqual([600]);
    expect([...waits(NOW_MS - 900_000), ...waits(null)]).toEqual([]);
  });

  test('waits for no more rows than memory holds', () => {
    const [small] = explain({
      status: COLLECTING,
      pods: { rowsPerSecond: 100, recordedRows: 0, capacityRows: 8_000 },
    }).missing;
    expect(small).toMatchObject({ rows: 8_000, seconds: 80 });
    expect(small?.what).toContain('8,000 recorded rows to train on');
    const [tiny] = explain({
      status: COLLECTING,
      pods: { rowsPerSecond: 100, recordedRows: 0, capacityRows: 500 },
    }).missing;
    expect(tiny?.rows).toBe(2_000);
  });

  test('waits for no hold of a step that the spec no longer names, as the operator does', () => {
    const { missing } = explain(CASES.ramping!);
    expect(missing[0]?.what).toBe('The hold of this step has to pass');
    const steps = [{ share: '50%', hold: '10m' }, { share: '100%' }];
    const renamed = explain({ ...CASES.ramping!, spec: { rollout: { steps } } });
    expect(renamed.missing).toEqual(missing.slice(1));
  });

  test('tells who holds a rollout', () => {
    const paused = [aCondition('RolloutSucceeded', 'Unknown', 'Paused', 'Paused by request.')];
    const status = { ...RAMPING, conditions: paused };
    const annotations = { 'layercache.io/rollout': 'paused' };
    expect(explain({ status, annotations }).rollout).toMatchObject({
      isStopped: true,
      message: 'Paused by request. Annotation layercache.io/rollout holds it.',
    });
    expect(explain({ status, spec: { rollout: { paused: true } } }).rollout.message).toBe(
      'Paused by request. Field spec.rollout.paused holds it.',
    );
  });

  test('says that a condition is about an earlier spec', () => {
    const old = {
      ...aCondition('ExitsActive', 'True', 'Serving', 'Exits may answer.'),
      observedGeneration: 1,
    };
    expect(explain({ status: { conditions: [old] } }).exits.message).toContain(
      'about an earlier spec'.replace('about', 'About'),
    );
  });

  test('says which rule a spec breaks that the operator cannot follow', () => {
    const { exits } = explain({ status: {}, spec: { rollout: { steps: [{ share: '50%' }] } } });
    expect(exits.message).toContain('the last step must be 100%');
  });
});

test('losses of boxes are told as such, in rows with a tenth', () => {
  const ledger = shadowing(500, 17);
  const { candidate } = ledger;
  const evidence = { ...candidate!.evidence!, agreement: 'F1' as const };
  const explained = explain({
    status: SHADOWING,
    ledger: { ...ledger, candidate: { ...candidate!, evidence } },
  });
  expect(explained.evidence).toMatchObject([
    { agreement: 'F1', disagreements: expect.closeTo(1.7, 9) as number },
  ]);
  const text = renderExplanation(explained, NOW_MS, createPaint(false)).join('\n');
  expect(text).toContain('F1 LOSS');
  expect(text).toMatch(/ 1\.7 .* 1% F1 loss at 95% /);
  expect(text).not.toMatch(/disagree/i);
});
