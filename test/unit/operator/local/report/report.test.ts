import { describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import type { EvidenceWindow } from '../../../../../crds/wire/evidence.ts';
import { renderReport } from '../../../../../operator/local/report/html/render-report.ts';
import { netMacsSavedRatio } from '../../../../../operator/local/report/macs.ts';
import {
  pathCosts,
  revisionMacs,
  type RevisionMacs,
} from '../../../../../operator/fleet/model-costs.ts';
import {
  buildReport,
  summarise,
  type RunRecord,
} from '../../../../../operator/local/report/build-report.ts';
import {
  reportSchema,
  type ReportAlarm,
  type ReportDrill,
} from '../../../../../operator/local/report/report-schema.ts';
import { createRunTally, type RunTally } from '../../../../../operator/local/report/run-tally.ts';
import { withoutOptedOutSeconds } from '../../../../../operator/local/report/scope-evidence.ts';
import { countTrueDisagreement } from '../../../../../operator/local/report/true-disagreement.ts';
import { summariseReport } from '../../../../../operator/local/view/summary.ts';
import type { InferClient } from '../../../../../operator/local/replay/infer-client.ts';
import { memorySource } from '../../../../../operator/local/traffic/source.ts';
import type { PlannedRow } from '../../../../../operator/local/traffic/traffic-plan.ts';
import {
  aBundle,
  aHead,
  aPolicy,
  aState,
  aTrack,
  aWindow,
  DIGEST_B,
  DIGEST_C,
} from '../../../crds/documents.ts';
import { boundedLossUpper } from '../../../../../server/core/bounded-loss.ts';
import { expectClose } from '../../../../support/expect-close.ts';
import { aCompanionHead } from '../../../../support/onnx-models/random-head.ts';

const source = memorySource(
  { name: 'rows', rowShape: [1], element: 'u1', labels: null },
  Buffer.from(Array.from({ length: 100 }, (_, i) => i)),
);

function aRow(index: number, isRepeated = false): PlannedRow {
  return { source, index, part: 'Serving', isRepeated, isDrifted: false, clip: null };
}

function answered(tally: RunTally, exit: string, rows: readonly number[], policy = '1.2'): void {
  for (const index of rows) {
    tally.addAnswer(
      aRow(index),
      { exit, policy, headRevision: DIGEST_B, classIds: [index % 3] },
      2,
    );
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

/** 60 rows at early, 20 at late, 20 at the backbone, under a policy of the serving scope. */
function aTally(): RunTally {
  const tally = createRunTally(null);
  tally.setPolicyScope('1.2', { isServing: true, areExitsOn: true });
  answered(tally, 'early', range(0, 60));
  answered(tally, 'late', range(60, 80));
  answered(tally, 'backbone', range(80, 100));
  return tally;
}

/** Ten audited rows at lambda 68: six left early, two late, two ran to the end; one early answer was wrong. */
function servingWindow(changes: Partial<EvidenceWindow> = {}): EvidenceWindow {
  const column = (value: number): number[] => Array.from({ length: 120 }, () => value);
  return aWindow({
    epoch: 1,
    policyRevision: 2,
    track: 'stable',
    share: 1,
    paired: null,
    grid: { n: 10, dis: column(1), leave: [column(6), column(2)] },
    ...changes,
  });
}

const macs: RevisionMacs = {
  exits: ['early', 'late'],
  toExit: [100, 600],
  head: [10, 20],
  backbone: 1_000,
};

describe('multiply-adds saved', () => {
  test('charge each row with its path and every head on it', () => {
    const saved = netMacsSavedRatio(aTally().serving, new Map([[DIGEST_B, macs]]), 1_000);
    const spent = 60 * 110 + 20 * 630 + 20 * 1_030;
    expectClose(saved ?? NaN, 1 - spent / 100_000, { abs: 1e-12 });
  });

  test('charge what audited rows ran after their answer', () => {
    const tally = aTally();
    tally.addWindow(servingWindow());
    const spent = 60 * 110 + 20 * 630 + 20 * 1_030 + 6 * (1_030 - 110) + 2 * (1_030 - 630);
    const saved = netMacsSavedRatio(tally.serving, new Map([[DIGEST_B, macs]]), 1_000);
    expectClose(saved ?? NaN, 1 - spent / 100_000, { abs: 1e-12 });
  });

  test('charge the heads of rows that only shadowed', () => {
    const tally = createRunTally(null);
    tally.setPolicyScope('1.1', { isServing: false, areExitsOn: false });
    answered(tally, 'backbone', range(0, 10), '1.1');
    tally.addWindow(servingWindow({ exitsEnabled: false, lambdaIndex: null, policyRevision: 1 }));
    const saved = netMacsSavedRatio(tally.run, new Map(), 1_000);
    expect(saved).toBe(0);
    const charged = netMacsSavedRatio(tally.run, new Map([[DIGEST_B, macs]]), 1_000);
    // Ten audited rows ran both heads; the answers themselves passed none.
    expectClose(charged ?? NaN, -((10 * 30) / 10_000), { abs: 1e-12 });
  });

  test('are unknown without rows', () => {
    expect(netMacsSavedRatio(createRunTally(null).serving, new Map(), 1_000)).toBeNull();
  });
});

describe('the serving scope', () => {
  test('holds rows of a policy in which one certified revision had all traffic, and no others', () => {
    const tally = createRunTally(null);
    tally.setPolicyScope('1.2', { isServing: true, areExitsOn: true });
    tally.setPolicyScope('1.1', { isServing: false, areExitsOn: true });
    answered(tally, 'early', [1, 2], '1.2');
    answered(tally, 'early', [3], '1.1');
    answered(tally, 'early', [4], '9.9');
    expect([tally.run.requests, tally.serving.requests]).toEqual([4, 2]);
  });

  test('leaves out repeated rows and rows answered while an exit was off locally', () => {
    const tally = createRunTally(null);
    tally.setPolicyScope('1.2', { isServing: true, areExitsOn: true });
    tally.addAnswer(
      aRow(1, true),
      { exit: 'early', policy: '1.2', headRevision: DIGEST_B, classIds: [1] },
      1,
    );
    tally.setSwitchedOff(true);
    answered(tally, 'early', [2]);
    expect([tally.serving.requests, tally.run.requests, tally.run.distinct]).toEqual([0, 2, 1]);
    expect(tally.early).toHaveLength(1);
  });
});

describe('engine time', () => {
  test('is the busy seconds of the windows over what the batches would have cost plain', () => {
    const tally = aTally();
    tally.addWindow(servingWindow());
    const { busySeconds, plainSeconds } = tally.serving.evidence;
    expectClose(1 - busySeconds / plainSeconds, 1 - (1.5 + 0.1 + 0.01 + 0.2) / 2.5, { abs: 1e-12 });
  });

  test('of windows that answered opted-out rows alone is left out', () => {
    const served = aWindow().served;
    const opted = aWindow({ seq: 5, served: { ...served, rows: [0, 0, 0] } });
    const second = aWindow({
      seq: 6,
      compute: null,
      served: { ...served, rows: [0, 0, 0], optedOut: 0 },
    });
    const mixed = aWindow({ seq: 7 });
    const [a, b, c] = withoutOptedOutSeconds([opted, second, mixed]);
    expect([a?.compute, b?.compute, c?.compute]).toEqual([null, null, mixed.compute]);
  });

  test('of a group is kept when one of its windows answered other rows', () => {
    const first = aWindow({ seq: 5, served: { ...aWindow().served, rows: [0, 0, 0] } });
    const second = aWindow({ seq: 6, compute: null });
    expect(withoutOptedOutSeconds([first, second])[0]?.compute).toEqual(first.compute);
  });
});

describe('true disagreement', () => {
  const apart = ([a = 0]: Float32Array, [b = 0]: Float32Array): number => Math.abs(a - b);

  function backbone(classOf: (index: number) => number, failFirst = 0): InferClient {
    let failures = failFirst;
    return {
      infer: (rows) => {
        if (failures-- > 0) return Promise.resolve({ ok: false, code: 'http_429', message: '' });
        const classIds = rows.map((row) => classOf(row[0] ?? 0));
        const answer = { exit: 'backbone', policy: '1.2', headRevision: '', classIds };
        return Promise.resolve({ ok: true, answer, latencyMs: 1 });
      },
      giveUp: () => undefined,
      close: () => undefined,
    };
  }
  const options = {
    output: { parts: null },
    agreement: 'Strict' as const,
    labels: Int32Array.from({ length: 100 }, (_, i) => i % 3),
    rowsPerRequest: 8,
    concurrency: 3,
    isStopped: () => false,
    onProgress: () => undefined,
  };

  test('compares every early answer with the backbone, by scope', async () => {
    const tally = aTally();
    answered(tally, 'early', [90], '1.1');
    // The backbone differs on rows 0, 10, ..., 70 and on 90.
    const client = backbone((index) => (index % 10 === 0 ? 7 : index % 3), 2);
    const truth = await countTrueDisagreement(tally.early, { ...options, client });
    expect(truth?.serving).toEqual({ compared: 80, k: 8, backboneRight: 72 });
    expect(truth?.run).toEqual({ compared: 81, k: 9, backboneRight: 72 });
  });

  test('of boxes is what they lose, and under Strict each answer that loses anything', async () => {
    const early = aTally().early.map((row) => ({ ...row, parts: Float32Array.of(3) }));
    const boxes: InferClient = {
      ...backbone(() => 1),
      infer: (rows) => {
        const classIds = rows.map(() => 1);
        // Of every fourth row the answers are not alike, though of one class.
        const parts = rows.map((row) => Float32Array.of((row[0] ?? 0) % 4 === 0 ? 0 : 3));
        const answer = { exit: 'backbone', policy: '1.2', headRevision: '', classIds, parts };
        return Promise.resolve({ ok: true, answer, latencyMs: 1 });
      },
    };
    const output = {
      parts: { keep: (row: Float32Array) => row, lossTenthsOf: apart },
    };
    const given = { ...options, output, client: boxes };
    const f1 = await countTrueDisagreement(early, { ...given, agreement: 'F1' });
    expect(f1?.serving).toMatchObject({ compared: 80, k: 6 });
    const strict = await countTrueDisagreement(early, given);
    expect(strict?.serving).toMatchObject({ compared: 80, k: 20 });
  });

  test('is unknown when the backbone does not answer, or the run was interrupted', async () => {
    const { early } = aTally();
    const client = backbone(() => 0, 1_000);
    expect(await countTrueDisagreement(early, { ...options, client })).toBeNull();
    const stopped = { ...options, client: backbone(() => 0), isStopped: () => true };
    expect(await countTrueDisagreement(early, stopped)).toBeNull();
  });
});

test('quantiles are by nearest rank', () => {
  expect(summarise([])).toBeNull();
  expect(summarise(range(1, 101))).toEqual({ mean: 50.5, p50: 50, p99: 99 });
});

describe('costs of a bundle', () => {
  const state = aState();
  const bundle = aBundle({
    heads: [aHead({ exit: 'early', tensor: 'block2/out', featureCount: 32, hidden: 0 })],
    classCount: 10,
  });

  test('are measured ones once the segments of its heads are', () => {
    // segment 1 + head .05 of plain 3, then the rest
    expect(pathCosts(bundle, state, 1)).toEqual([1.05 / 3, 3.05 / 3]);
  });

  test('leave out cuts that only samples need, but for their part of the surplus', () => {
    const costs = {
      batchSizes: [1],
      cuts: ['stem', 'block2/out', 'block3/out'],
      plainMs: [10],
      // 2 ms more than plain: 0.667 for each cut
      segmentMs: [[1, 3, 4, 4]],
      headMs: [[0, 0.5, 0]],
      compactMs: [[0.1, 0.2, 0.3]],
    };
    const [early, whole] = pathCosts(bundle, { ...state, costs }, 1);
    expectClose(early ?? NaN, ((4 / 12) * 10 + 0.5 + 2 / 3) / 10, { abs: 1e-12 });
    expectClose(whole ?? NaN, (10 + 0.5 + 2 / 3 + 0.2) / 10, { abs: 1e-12 });
  });

  test('are estimated from shares before', () => {
    const costs = { ...state.costs!, headMs: [[0], [0]] };
    const [early, whole] = pathCosts(bundle, { ...state, costs }, 1);
    const headMs = 0.02 + (0.3 * 320) / 1e6;
    expectClose(early ?? NaN, 0.35 + headMs / 3, { abs: 1e-12 });
    expectClose(whole ?? NaN, 1 + headMs / 3, { abs: 1e-12 });
  });

  describe('with a companion before it', () => {
    const companion = aCompanionHead('small', { digest: DIGEST_C, classCount: 10 }, 0);
    const both = { ...bundle, heads: [companion, ...bundle.heads] };
    const companionModels = [
      {
        name: 'small',
        digest: DIGEST_C,
        format: 'ONNX',
        sizeBytes: 9,
        macs: 15_000_000,
        msShare: 0.2,
      },
    ];
    const withIt = { ...state, companionModels };

    test('hold its time for every row, estimated or measured', () => {
      const estimated = pathCosts(both, withIt, 1);
      const headMs = 0.02 + (0.3 * 320) / 1e6;
      expectClose(estimated, [0.2, 0.55 + headMs / 3, 1.2 + headMs / 3], { abs: 1e-12 });
      // Nobody has loaded it: as if it took the time of the backbone.
      expect(pathCosts({ ...both, heads: [companion] }, state, 1)).toEqual([1, 2]);
      const costs = {
        batchSizes: [1],
        cuts: [DIGEST_C, 'stem', 'block2/out'],
        plainMs: [10],
        segmentMs: [[2, 1, 3, 8]],
        headMs: [[0, 0, 0.5]],
        compactMs: [[0.1, 0.2, 0.3]],
        companions: 1,
      };
      const measured = pathCosts(both, { ...withIt, costs }, 1);
      // The surplus of 2 ms is the backbone's: 1 ms for each of its cuts.
      const [toExit, end] = [(4 / 12) * 10 + 0.5 + 1, 10 + 0.5 + 1 + 0.3];
      const before = 2 + 0.1;
      expectClose(measured, [0.2, (before + toExit) / 10, (before + end) / 10], { abs: 1e-12 });
      const alone = pathCosts(bundle, { ...withIt, costs }, 1);
      expectClose(alone, [toExit / 10, end / 10], { abs: 1e-12 });
    });

    test('count its multiply-adds as those of its head, and none of the backbone', () => {
      expect(revisionMacs(both, withIt)).toMatchObject({
        toExit: [0, 45_000_000],
        head: [15_000_000, 320],
      });
      expect(revisionMacs(both, state).head[0]).toBe(0);
    });
  });

  test('count the multiply-adds of one and of two layers', () => {
    const deep = aBundle({
      heads: [aHead({ tensor: 'block2/out', featureCount: 32, hidden: 64 })],
      classCount: 10,
    });
    expect(revisionMacs(bundle, state)).toEqual({
      exits: ['early'],
      toExit: [45_000_000],
      head: [320],
      backbone: 150_000_000,
    });
    expect(revisionMacs(deep, state).head).toEqual([32 * 64 + 640]);
  });
});

const anAlarm: ReportAlarm = {
  atSeconds: 90,
  atRequest: 900,
  reason: 'Alarm',
  message: 'alarm',
  headRevision: DIGEST_B,
  offSeconds: 90.5,
  offRequest: 905,
  backSeconds: 120,
  backRequest: 4_000,
  backBy: 'Recertified',
  drift: { fromSeconds: 80, fromRequest: 800, audits: 40, served: { n: 0, k: null } },
};

const aDrill: ReportDrill = {
  kind: 'Kill',
  flag: '--kill host@50',
  atSeconds: 5,
  atRequest: 50,
  message: 'The engine host of local-0 was killed.',
  failedRequests: 0,
  held: { requests: 3, failed: 0 },
  recoveredSeconds: 0.8,
  drifted: null,
};

const aDrift: ReportDrill = {
  kind: 'Drift',
  flag: '--drift classes@800',
  atSeconds: 80,
  atRequest: 800,
  message: 'Rows drifted.',
  failedRequests: 0,
  held: null,
  recoveredSeconds: 40,
  drifted: { n: 105, early: 60, k: 3, outcome: 'Alarm' },
};

function aRecord(changes: Partial<RunRecord> = {}): RunRecord {
  const tally = aTally();
  tally.addWindow(servingWindow());
  tally.addError('http_503');
  tally.optedOut = 25;
  const settings = {
    ...aPolicy(),
    confidence: 0.95,
    budget: 0.01,
    agreement: 'Strict',
  } as unknown as RunRecord['settings'];
  return {
    service: 'vision',
    settings,
    state: aState(),
    versions: { node: 'v20.20.0', onnxruntime: '1.30.0', cpu: 'test x 2' },
    exits: [
      { name: 'early', tensor: 'block2/out', mode: 'Active', macsShare: 0.3, msShare: 0.35 },
      { name: 'other', tensor: 'block3/out', mode: 'Active', macsShare: 0.5, msShare: 0.55 },
    ],
    bundles: new Map([[DIGEST_B, aBundle()]]),
    phases: [{ stage: 'Load', startSeconds: 0, seconds: 2, requests: 0 }],
    certified: aPolicy({ stable: aTrack(), candidate: null }),
    tally,
    history: [{ atSeconds: 60, rows: [50, 0, 50], audits: 100, disagreements: 1 }],
    latencies: { backboneMs: [4, 4, 4], layercacheMs: [1, 2, 3] },
    truth: {
      run: { compared: 80, k: 1, backboneRight: 0 },
      serving: { compared: 80, k: 1, backboneRight: 0 },
      exposed: { compared: 0, k: 0, backboneRight: 0 },
    },
    decisions: [
      {
        nowMs: 61_000,
        reason: 'RolloutPromoted',
        message: 'promoted',
        headRevision: DIGEST_B,
        details: {},
      },
    ],
    alarms: [anAlarm],
    drills: [aDrill, aDrift],
    statements: [{ reason: 'StreamRepeats', message: 'It repeats.', nextStep: 'Bring more.' }],
    startedMs: 1_000,
    traffic: {
      source: 'npy:x.npy',
      headSource: null,
      droppedDuplicates: 3,
      skippedRows: 0,
      repeated: false,
    },
    complete: true,
    command: 'layercache local run -f x.yaml --traffic npy:x.npy --seed 1',
    ...changes,
  };
}

describe('report.json', () => {
  test('keeps its schema and its golden file', async () => {
    const report = buildReport(aRecord());
    expect(reportSchema.parse(report)).toEqual(report);
    await expect(`${JSON.stringify(report, null, 2)}\n`).toMatchFileSnapshot(
      '../../../../golden/report.json',
    );
  });

  test('of a run that never served has nulls, not zeros, where there is nothing to say', () => {
    const report = buildReport(
      aRecord({
        tally: createRunTally(null),
        latencies: { backboneMs: [], layercacheMs: [] },
        truth: null,
        certified: null,
        complete: false,
      }),
    );
    expect(reportSchema.parse(report).serving).toEqual({
      requests: 0,
      optedOutShare: 0,
      exitShare: {},
      auditedDisagreement: { n: 0, k: 0, upper: 1 },
      trueDisagreement: null,
      netMacsSavedRatio: null,
      netTimeSavedRatio: null,
      latencyMs: { backbone: null, layercache: null },
      meanLatencySavedRatio: null,
      accuracy: null,
    });
    expect(report.certificate).toBeNull();
  });

  test('with labels gives the accuracy of what was served and of the backbone', () => {
    const tally = createRunTally(Int32Array.from({ length: 100 }, (_, i) => (i < 50 ? i % 3 : 9)));
    tally.setPolicyScope('1.2', { isServing: true, areExitsOn: true });
    answered(tally, 'early', range(0, 60));
    answered(tally, 'backbone', range(60, 100));
    const truth = { compared: 60, k: 0, backboneRight: 55 };
    const { accuracy } = buildReport(
      aRecord({ tally, truth: { run: truth, serving: truth, exposed: truth } }),
    ).serving;
    expect(accuracy).toEqual({ n: 100, served: 0.5, backbone: 0.55 });
  });

  test('a field more or less is another version', () => {
    const report = buildReport(aRecord());
    expect(reportSchema.safeParse({ ...report, more: 1 }).success).toBe(false);
    const { complete, ...less } = report;
    expect([complete, reportSchema.safeParse(less).success]).toEqual([true, false]);
  });

  test('every field of it is in the documentation', () => {
    const text = readFileSync('charts/layercache/docs/report.md', 'utf8');
    const names = new Set<string>();
    const collect = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(collect);
      else if (typeof value === 'object' && value !== null) {
        for (const [name, inner] of Object.entries(value)) {
          names.add(name);
          if (!['exitShare', 'latencyByExit', 'byCode', 'versions'].includes(name)) collect(inner);
        }
      }
    };
    collect(buildReport(aRecord()));
    expect([...names].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test('is summed up in a few lines', () => {
    expect(summariseReport(buildReport(aRecord()))).toMatchInlineSnapshot(`
      [
        "certificate  at most 1% disagreement at 95%: 12 of 3,012 audited rows, look 2",
        "serving      100 rows: backbone 20.0%, early 60.0%, late 20.0%",
        "disagreement audited 10.00% (upper 39.42%, n 10); true 1.00% (1 of 100 rows)",
        "saved        -0.0% of multiply-adds, 27.6% of engine time, 50.0% of mean latency (4.0 -> 2.0 ms)",
        "errors       1",
        "drill        --kill host@50: The engine host of local-0 was killed.",
        "drill        --drift classes@800: Rows drifted.",
        "alarm        Alarm at 1 min 30 s, 10.0 s after the drift began, on 40 audits; 0 drifted rows were answered meanwhile, 0 answered unlike the backbone (-)",
        "StreamRepeats: It repeats. Bring more.",
      ]
    `);
  });
});

describe('a report of frames', () => {
  const framed = (): RunRecord => {
    const record = aRecord();
    return {
      ...record,
      exits: record.exits.map((exit) =>
        exit.name === 'early' ? { ...exit, sourceHeader: 'x-camera' } : exit,
      ),
      traffic: { ...record.traffic, clips: 46 },
    };
  };

  test('says which exit answers by an earlier frame, for what share, and how many clips there were', () => {
    const report = buildReport(framed());
    expect(reportSchema.parse(report)).toEqual(report);
    expect(report.exits.map(({ sourceHeader }) => sourceHeader)).toEqual(['x-camera', undefined]);
    expect(summariseReport(report)[2]).toBe(
      'frames       60.0% of 46 clips answered by an earlier frame of their source (early, x-camera)',
    );
    const page = renderReport(report);
    expect(page).toContain('early: by the answer to an earlier frame of the source that x-camera');
    expect(page).toContain('against the frame before of x-camera');
    expect(page).toMatch(/frames of <span[^>]*>46<\/span> clips, each in its order/);
  });

  test('that never served, or of clips that others sent, says so', () => {
    const { traffic } = aRecord();
    const report = buildReport({ ...framed(), traffic, tally: createRunTally(null) });
    expect(summariseReport(report)[2]).toMatch(/^frames {7}- answered by an earlier frame/);
  });
});

describe('a report of a budget that bounds losses', () => {
  const losses = Array.from({ length: 10 }, (_, i) => new Array<number>(120).fill(i === 2 ? 1 : 0));
  const certificate = { ...aTrack().certificate!, agreement: 'F1' as const, disagreements: 43 };
  const lossy = (): RunRecord => {
    const tally = aTally();
    tally.addWindow(servingWindow({ losses }));
    const record = aRecord({
      tally,
      certified: aPolicy({ stable: aTrack({ certificate }), candidate: null }),
    });
    return { ...record, settings: { ...record.settings, agreement: 'F1' } };
  };

  test('counts rows by what they lose, bounded by the test of losses', () => {
    const report = buildReport(lossy());
    expect(reportSchema.parse(report)).toEqual(report);
    expect(report).toMatchObject({ agreement: 'F1', certificate: { disagreements: 4.3 } });
    const { auditedDisagreement } = report.serving;
    expect(auditedDisagreement).toMatchObject({ n: 10, k: 0.3 });
    expectClose(auditedDisagreement.upper, boundedLossUpper(10, 0.3, 1 - 0.95), { rel: 1e-12 });
    expect(buildReport(aRecord())).not.toHaveProperty('agreement');
  });

  test('names the loss in its summary and on its page, rows with a tenth', () => {
    const report = buildReport(lossy());
    const text = summariseReport(report).join('\n');
    expect(text).toContain('at most 1% F1 loss at 95%: 4.3 of');
    expect(text).toMatch(/^F1 loss {6}audited 3\.00%/m);
    const page = renderReport(report);
    expect(page).toContain('>4.3</span> of');
    expect(page).toContain('F1 loss against the backbone');
    expect(page).toContain('Audited F1 loss');
    expect(page).not.toMatch(/>[^<]*disagree/i);
    expect(text).not.toMatch(/disagree|unlike/i);
  });
});
