import { binomialUpper } from '../../server/core/binomial.ts';
import type { Report, ReportScope } from '../../operator/local/report/report-schema.ts';

const HEADS = `sha256:${'3fa91c27'.repeat(8)}`;

function aScope(changes: Partial<ReportScope> = {}): ReportScope {
  return {
    requests: 28_162,
    optedOutShare: 0.0704,
    exitShare: { backbone: 0.165, block3: 0.238, block4: 0.03, stem: 0.567 },
    auditedDisagreement: { n: 649, k: 3, upper: 0.0119 },
    trueDisagreement: { n: 28_162, k: 183 },
    netMacsSavedRatio: 0.743,
    netTimeSavedRatio: 0.661,
    latencyMs: {
      backbone: { mean: 7.41, p50: 5.34, p99: 32.2 },
      layercache: { mean: 3.28, p50: 1.51, p99: 20.9 },
    },
    meanLatencySavedRatio: 0.557,
    accuracy: { n: 28_162, served: 0.9092, backbone: 0.9099 },
    ...changes,
  };
}

/** No row while the heads are trained, the backbone alone before, after, and while an alarm has exits off. */
function history(): Report['history'] {
  return Array.from({ length: 85 }, (_, i) => {
    const atSeconds = 8 + 6 * i;
    const isIdle = atSeconds > 86 && atSeconds < 211;
    const areExitsOn = atSeconds > 241 && (atSeconds < 391 || atSeconds > 431);
    const all = isIdle ? 0 : 560 + Math.round(40 * Math.sin(i / 5));
    const audits = Math.round(Math.max(0, Math.min(atSeconds, 391) - 241) * 4.2);
    const disagreements = Math.floor(audits * 0.0057);
    const exits = areExitsOn
      ? [0.567, 0, 0.238, 0.03].map((share) => Math.round(all * share))
      : NONE;
    const early = exits.reduce((sum, rows) => sum + rows, 0);
    return {
      ...{ atSeconds, audits, disagreements },
      rows: [...exits, all - early],
      upper: binomialUpper(disagreements, audits, 0.05),
    };
  });
}

const NONE = [0, 0, 0, 0];

/** The report of a run in which everything happened that a report can tell. */
export function aReport(changes: Partial<Report> = {}): Report {
  const head = {
    pool: 2,
    hidden: 64,
    macs: 8_832,
    auroc: 0.93,
    agreement: 0.972,
    coverage: 0.61,
  };
  return {
    schemaVersion: 2,
    service: 'fashion',
    engine: {
      kind: 'onnx',
      device: 'cpu',
      threads: 2,
      versions: { node: 'v20.20.0', onnxruntime: '1.30.0', cpu: 'test x 2', layercache: '0.1.0' },
    },
    backbone: {
      digest: `sha256:${'a1'.repeat(32)}`,
      macs: 42_318_848,
      latencyMs: { mean: 7.41, p50: 5.34, p99: 32.2 },
    },
    exits: [
      { name: 'stem', tensor: '/stem/Relu_output_0', macsShare: 0.021, msShare: 0.04, head },
      {
        name: 'block1',
        tensor: '/block1/Add_output_0',
        macsShare: 0.14,
        msShare: 0.17,
        head: null,
      },
      {
        name: 'block3',
        tensor: '/block3/Add_output_0',
        macsShare: 0.29,
        msShare: 0.33,
        head: { ...head, hidden: 0 },
      },
      { name: 'block4', tensor: '/block4/Add_output_0', macsShare: 0.51, msShare: 0.55, head },
    ],
    phases: [
      { stage: 'Load', startSeconds: 0, seconds: 7.6, requests: 0 },
      { stage: 'Collecting', startSeconds: 7.6, seconds: 79, requests: 8_000 },
      { stage: 'Training', startSeconds: 86.6, seconds: 124, requests: 0 },
      { stage: 'Staging', startSeconds: 210.6, seconds: 1.1, requests: 0 },
      { stage: 'Shadowing', startSeconds: 211.7, seconds: 25.5, requests: 3_050 },
      { stage: 'Ramping', startSeconds: 237.2, seconds: 10.5, requests: 780 },
      { stage: 'Serving', startSeconds: 247.7, seconds: 266, requests: 28_170 },
      { stage: 'Comparing', startSeconds: 513.7, seconds: 90, requests: 0 },
    ],
    certificate: {
      headRevision: HEADS,
      lambda: 0.0353891,
      n: 3_050,
      disagreements: 16,
      epsilon: 0.01,
      delta: 0.05,
      look: 2,
    },
    serving: aScope(),
    run: aScope({
      requests: 40_000,
      exitShare: { backbone: 0.397, block3: 0.172, block4: 0.022, stem: 0.41 },
      auditedDisagreement: { n: 702, k: 4, upper: 0.013 },
      netMacsSavedRatio: 0.51,
    }),
    latencyByExit: {
      backbone: { mean: 24.1, p50: 21.8, p99: 61.2 },
      block3: { mean: 17.3, p50: 15.9, p99: 48.8 },
      block4: { mean: 20.4, p50: 18.7, p99: 55.1 },
      stem: { mean: 11.2, p50: 9.7, p99: 39.4 },
    },
    history: history(),
    alarms: [
      {
        atSeconds: 391,
        reason: 'Alarm',
        message: 'Disagreement is above 1%: 41 of 1,204 audited rows. Exits are off.',
        headRevision: HEADS,
        atRequest: 31_200,
        offSeconds: 391.4,
        offRequest: 31_230,
        backSeconds: 431,
        backRequest: 35_010,
        backBy: 'Recertified',
        drift: {
          fromSeconds: 371,
          fromRequest: 30_000,
          audits: 88,
          served: { n: 1_210, k: 37 },
        },
      },
    ],
    rollouts: [
      {
        atSeconds: 237,
        reason: 'RolloutStarted',
        message: 'The candidate takes 25% of the traffic.',
        headRevision: HEADS,
      },
      {
        atSeconds: 247,
        reason: 'RolloutPromoted',
        message: 'The candidate passed its last step & serves <all> traffic.',
        headRevision: HEADS,
      },
    ],
    drills: [
      {
        kind: 'Drift',
        flag: '--drift noise@30000',
        atSeconds: 371,
        atRequest: 30_000,
        message: 'Rows carry noise from request 30,000 on.',
        failedRequests: 0,
        held: null,
        recoveredSeconds: null,
        drifted: { n: 1_210, early: 820, k: 37, outcome: 'Alarm' },
      },
    ],
    statements: [
      {
        reason: 'StreamRepeats',
        message: 'The stream repeats its rows.',
        nextStep: 'Bring more rows.',
      },
    ],
    traffic: {
      source: 'example:fashion-mnist',
      headSource: null,
      droppedDuplicates: 3,
      skippedRows: 0,
      repeated: true,
    },
    errors: { count: 2, byCode: { http_503: 2 } },
    complete: true,
    command: "layercache local run -f 'my service.yaml' --traffic example:fashion-mnist --seed 1",
    ...changes,
  };
}
