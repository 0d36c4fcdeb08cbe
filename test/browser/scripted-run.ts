import { LAMBDAS } from '../../crds/wire/lambda-grid.ts';
import type {
  PageDecision,
  PageExit,
  PagePoint,
  PageState,
  Picture,
} from '../../operator/local/page/state/page-state.ts';
import { keptOf } from '../../operator/local/web/exit-figures.ts';
import { ALL_SHOWN } from '../../operator/local/web/run-facts.ts';
import { binomialLower, binomialUpper } from '../../server/core/binomial.ts';
import { createRandom } from '../../server/core/random.ts';

/** Stages that the page is looked at in. */
export const SCENES = [
  'load',
  'collect',
  'train',
  'certify',
  'ramp',
  'serve',
  'boxes',
  'alarm',
  'ended',
  'error',
] as const;

export type Scene = (typeof SCENES)[number];

const HEADS = `sha256:${'3fa91c27'.repeat(8)}`;
const EXITS = ['block02', 'block05', 'block07'];
/** Second at which each stage of the script begins. */
const STARTS = { collect: 2, train: 48, certify: 95, ramp: 118, serve: 130, alarm: 300 };
const NOW: Readonly<Record<Scene, number>> = {
  load: 1.4,
  collect: 31,
  train: 70,
  certify: 112,
  ramp: 126,
  serve: 240,
  boxes: 240,
  alarm: 318,
  ended: 282,
  error: 205,
};

/** A run of minutes as its page would be told, from load to an end: the same figures on every machine. */
export function sceneOf(scene: Scene): PageState {
  const now = NOW[scene];
  const history = historyUpTo(now);
  const totals = totalsOf(history);
  const isServing = now > STARTS.ramp && scene !== 'alarm';
  const picture = pictureOf(scene, { now, history, totals, isServing });
  return scene === 'boxes' ? ofBoxes({ ...picture, history }) : { ...picture, history };
}

/** The same run of a detector whose budget bounds F1 loss: each answer that differs loses 0.7. */
function ofBoxes(state: PageState): PageState {
  const lost = (rows: number): number => Math.round(7 * rows) / 10;
  const { disagreement, certificate, curve } = state;
  return {
    ...state,
    run: { ...state.run, service: 'detector', agreement: 'F1' },
    disagreement: { ...disagreement, k: lost(disagreement.k) },
    certificate: certificate && { ...certificate, disagreements: lost(certificate.disagreements) },
    curve: curve && { ...curve, disagreement: curve.disagreement.map((share) => 0.7 * share) },
    exits: state.exits.map((exit) => {
      const disagreements = lost(exit.disagreements);
      const counts = { audits: exit.audits, disagreements };
      const agreement = keptOf(counts, { confidence: 0.95, agreement: 'F1' });
      return { ...exit, disagreements, agreement };
    }),
    history: state.history.map((point) => ({
      ...point,
      disagreement: point.disagreement === null ? null : 0.7 * point.disagreement,
    })),
  };
}

interface Facts {
  readonly now: number;
  readonly history: readonly PagePoint[];
  readonly totals: ReturnType<typeof totalsOf>;
  readonly isServing: boolean;
}

function pictureOf(scene: Scene, facts: Facts): Picture {
  const { now, totals } = facts;
  const isLoaded = scene !== 'load';
  const hasHeads = now > STARTS.certify;
  return {
    schemaVersion: 2,
    run: runOf(isLoaded),
    cluster: null,
    unshown: ALL_SHOWN,
    status: STATUS[scene] ?? 'Running',
    message: MESSAGES[scene],
    atSeconds: now,
    stages: stagesAt(now),
    exitsAre: exitsAreOf(scene, facts),
    totals: countsOf(scene, facts),
    disagreement: totals.disagreement,
    certificate: facts.isServing
      ? { headRevision: HEADS, lambda: LAMBDAS[68] ?? 0, n: 3_012, disagreements: 12, look: 2 }
      : null,
    curve: hasHeads ? curveOf(Math.round((now - STARTS.certify) * 120)) : null,
    ...comparisonOf(facts),
    exits: isLoaded ? exitsOf(facts, hasHeads) : [],
    servers: isLoaded ? [serverOf(scene)] : [],
    timeline: timelineAt(now),
    decisions: decisionsAt(now),
    statements: [],
    drills: scene === 'alarm' ? [DRILL] : [],
    warnings: [],
    reportPath: scene === 'ended' ? 'layercache-report/2026-01-31T12-00-00/report.html' : null,
  };
}

function runOf(isLoaded: boolean): Picture['run'] {
  return {
    id: '2026-01-31T12:00:00.000Z',
    version: '0.1.0',
    service: 'fashion-mnist',
    engine: isLoaded ? 'onnx on cpu, 2 threads' : '',
    backbone: 'server/examples/fashion-mnist/model.onnx',
    traffic: 'example:fashion-mnist',
    seed: 1,
    budgetRatio: 0.01,
    confidence: 0.95,
    predictUrl: isLoaded ? 'http://127.0.0.1:8080/v2/models/fashion-mnist/infer' : null,
    metricsUrl: isLoaded ? 'http://127.0.0.1:9090/metrics' : null,
  };
}

function exitsAreOf(scene: Scene, { now, isServing }: Facts): Picture['exitsAre'] {
  if (!isServing)
    return { on: false, why: scene === 'alarm' ? ALARM : 'Nothing is certified yet.' };
  const share = now < STARTS.serve ? '25%' : '100%';
  return { on: true, why: `${share} of the traffic may leave early.` };
}

function countsOf(scene: Scene, { totals, history, now }: Facts): Picture['totals'] {
  const isBroken = scene === 'error';
  return {
    requests: totals.requests,
    rowsPerSecond: history.at(-1)?.rowsPerSecond ?? 0,
    early: totals.requests - (totals.exitRows.at(-1) ?? 0),
    optedOut: now > STARTS.ramp ? 400 : 0,
    errors: isBroken ? 16 : 0,
    errorsByCode: isBroken ? { econnreset: 16 } : {},
  };
}

function comparisonOf({ now, history }: Facts): Pick<Picture, 'latency' | 'saved'> {
  const backboneP50 = history.length > 0 ? 61.4 : null;
  if (now <= STARTS.ramp) {
    return {
      latency: { plain: null, layercache: null, backboneP50 },
      saved: { timeRatio: null, latencyRatio: null },
    };
  }
  return {
    latency: {
      plain: { n: 400, mean: 4.03, p50: 3.9, p95: 4.82, p99: 6.1 },
      layercache: { n: 400, mean: 1.48, p50: 1.12, p95: 4.4, p99: 5.7 },
      backboneP50,
    },
    saved: { timeRatio: 0.724, latencyRatio: 0.634 },
  };
}

const DRILL = '--drift noise@30000: noise since request 30,000; exits off after 38 s.';
const ALARM = 'Disagreement is above 1%: 41 of 1,204 audited rows. Exits are off.';

const STATUS: Partial<Record<Scene, Picture['status']>> = {
  load: 'Loading',
  ended: 'Ended',
  error: 'Failed',
};

const MESSAGES: Readonly<Record<Scene, string>> = {
  load: 'Loading server/examples/fashion-mnist/model.onnx and the traffic.',
  collect: '3,560 rows are missing.',
  train: 'Heads are being trained, 47.0% done.',
  certify: 'Look 1 allows no lambda; the next is at 3,000 audited rows.',
  ramp: 'The candidate takes 25.0% of the traffic.',
  boxes: 'Look 2 allows lambda 0.013; the next is at 10,000 audited rows.',
  serve: 'Look 2 allows lambda 0.013; the next is at 10,000 audited rows.',
  alarm: 'Exits are off (Alarm). No look is taken yet; the next is at 1,000 audited rows.',
  ended: 'Certified, served and compared with the backbone.',
  error:
    'A model server ended (local-0): it was ended by SIGKILL during the run. It wrote nothing. Run again with --debug for more. [ServerFailed]',
};

function historyUpTo(now: number): PagePoint[] {
  const random = createRandom(7);
  const points: PagePoint[] = [];
  let [audits, wrong] = [0, 0];
  for (let at = STARTS.collect + 1; at <= now; at++) {
    const { share, rate } = trafficAt(at);
    const rows = Math.round(rate * (0.94 + 0.12 * random.uniform()));
    const early = Math.round(rows * share * (0.97 + 0.06 * random.uniform()));
    const exitRows = split(rows, early);
    if (share > 0) {
      audits += 4;
      wrong += random.uniform() < (at > 275 ? 0.14 : 0.02) ? 1 : 0;
    }
    points.push({
      atSeconds: at,
      rowsPerSecond: rows,
      errorsPerSecond: 0,
      exitRows,
      ...latencyAt(rate === 0 ? null : 1 - 0.62 * share, () => random.uniform()),
      audits,
      disagreement: audits === 0 ? null : wrong / audits,
      upper: audits === 0 ? null : binomialUpper(wrong, audits, 0.05),
      queuedRows: rate === 0 ? 0 : Math.round(3 + 9 * random.uniform() * (1 - share)),
    });
  }
  return points;
}

function split(rows: number, early: number): number[] {
  const [first, second] = [Math.round(early * 0.62), Math.round(early * 0.27)];
  return [first, second, early - first - second, rows - early];
}

function latencyAt(
  scale: number | null,
  random: () => number,
): Pick<PagePoint, 'p50' | 'p95' | 'p99'> {
  if (scale === null) return { p50: null, p95: null, p99: null };
  const p50 = 61 * (0.95 + 0.1 * random()) * scale;
  return { p50, p95: p50 * (1.5 + 0.3 * random()), p99: p50 * (1.9 + 0.5 * random()) };
}

function trafficAt(second: number): { share: number; rate: number } {
  if (second < STARTS.train) return { share: 0, rate: 222 };
  if (second < STARTS.certify) return { share: 0, rate: 0 };
  if (second < STARTS.ramp) return { share: 0, rate: 205 };
  if (second < STARTS.serve) return { share: 0.21, rate: 260 };
  if (second < STARTS.alarm) return { share: 0.86, rate: 640 };
  return { share: 0, rate: 215 };
}

function totalsOf(history: readonly PagePoint[]) {
  const exitRows = [0, 1, 2, 3].map((i) =>
    history.reduce((sum, point) => sum + (point.exitRows[i] ?? 0), 0),
  );
  const { audits = 0, disagreement = null, upper = null } = history.at(-1) ?? {};
  return {
    requests: exitRows.reduce((a, b) => a + b, 0),
    exitRows,
    disagreement: { n: audits, k: Math.round((disagreement ?? 0) * audits), upper: upper ?? 1 },
  };
}

function exitsOf(facts: Facts, hasHeads: boolean): PageExit[] {
  return [...EXITS, 'backbone'].map((name, i) => {
    const isBackbone = i === EXITS.length;
    const rows = facts.totals.exitRows[i] ?? 0;
    const counted = isBackbone ? NOT_AUDITED : auditsOf(rows, [0.004, 0.007, 0.012][i % 3]!);
    return {
      name,
      tensor: isBackbone ? null : `/features/${name}/relu/Relu_output_0`,
      isOn: isBackbone || facts.isServing,
      hasHead: isBackbone || hasHeads,
      rows,
      rowsPerSecond: facts.history.at(-1)?.exitRows[i] ?? 0,
      share: facts.totals.requests === 0 ? 0 : rows / facts.totals.requests,
      ...counted,
      latency: rows === 0 ? null : exitLatency(rows, i),
      ...headFigures(i, hasHeads),
    };
  });
}

function headFigures(
  exit: number,
  hasHeads: boolean,
): Pick<PageExit, 'savedMs' | 'savedRatio' | 'doubt'> {
  if (!hasHeads) return { savedMs: null, savedRatio: null, doubt: null };
  const isBackbone = exit === EXITS.length;
  return {
    savedMs: [3.1, 2.2, 1.1, -0.12][exit]!,
    savedRatio: [0.774, 0.551, 0.268, -0.03][exit]!,
    doubt: isBackbone ? null : { all: bell(exit, 9_000), recent: bell(exit + 0.4, 2_000) },
  };
}

function exitLatency(n: number, exit: number): PageExit['latency'] {
  return {
    n,
    mean: 20 + 13 * exit,
    p50: 18.4 + 12 * exit,
    p95: 31 + 14 * exit,
    p99: 44 + 17 * exit,
  };
}

const NOT_AUDITED = { audits: 0, disagreements: 0, agreement: null };

function auditsOf(
  rows: number,
  ratio: number,
): Pick<PageExit, 'audits' | 'disagreements' | 'agreement'> {
  const audits = Math.round(rows * 0.02);
  if (audits === 0) return NOT_AUDITED;
  const disagreements = Math.floor(audits * ratio);
  const agreement = {
    ratio: 1 - disagreements / audits,
    low: 1 - binomialUpper(disagreements, audits, 0.025),
    high: 1 - binomialLower(disagreements, audits, 0.025),
  };
  return { audits, disagreements, agreement };
}

/** Rows by logit of the score: most are sure, some are not. */
function bell(shift: number, rows: number): number[] {
  return Array.from({ length: 16 }, (_, bin) => {
    const x = bin - 12 + 1.4 * shift;
    return Math.round(
      rows * (0.2 * Math.exp((-x * x) / 8) + 0.02 * Math.exp(-((bin - 5) ** 2) / 6)),
    );
  });
}

function curveOf(n: number): Picture['curve'] {
  const lambda = LAMBDAS.filter((_, j) => j % 3 === 2);
  return {
    headRevision: HEADS,
    n,
    lambda,
    disagreement: lambda.map((value) => Math.round(n * 0.09 * value ** 0.62) / n),
    leaving: lambda.map(
      (value) => Math.round(n * Math.min(1, 0.3 + 0.11 * Math.log(value / 1e-4))) / n,
    ),
  };
}

function serverOf(scene: Scene): Picture['servers'][number] {
  return {
    name: 'local-0',
    isReady: scene !== 'error',
    queuedRows: scene === 'error' ? 0 : 6,
    queueCapacity: 1_024,
    batchRows: 8,
    mainBytes: 151_000_000,
    engineBytes: 402_000_000,
    activations: 3,
    switchedOff: scene === 'alarm' ? ['block07: breaker'] : [],
  };
}

const STAGES: readonly (readonly [name: string, start: number, wanted: number | null])[] = [
  ['Load', 0, null],
  ['Collect', STARTS.collect, 10_000],
  ['Train', STARTS.train, null],
  ['Certify', STARTS.certify, 4_200],
  ['Ramp', STARTS.ramp, 2_500],
  ['Serve', STARTS.serve, 60_000],
];

/** After the alarm the heads are certified again, from its second on. */
function stagesAt(now: number): Picture['stages'] {
  const isAlarmed = now >= STARTS.alarm;
  const running = isAlarmed ? 3 : STAGES.findLastIndex(([, start]) => start <= now);
  return STAGES.map(([name, start, wanted], i) => {
    const end = STAGES[i + 1]?.[1] ?? STARTS.alarm;
    if (i === running) return runningStage(name, now - (isAlarmed ? STARTS.alarm : start), wanted);
    const isDone = now >= end;
    return {
      name,
      status: isDone ? 'Done' : 'Waiting',
      rows: 0,
      wantedRows: null,
      seconds: isDone ? end - start : 0,
      leftSeconds: null,
      message: name === 'Load' && isDone ? '9 cut points, 3 exits kept' : '',
    };
  });
}

function runningStage(
  name: string,
  seconds: number,
  wanted: number | null,
): Picture['stages'][number] {
  const rows = wanted === null ? 0 : Math.min(wanted, Math.round(seconds * 207 + 12));
  return {
    name,
    status: 'Running',
    rows,
    wantedRows: wanted,
    seconds,
    leftSeconds: wanted === null ? null : (wanted - rows) / 207,
    message: '',
  };
}

function timelineAt(now: number): Picture['timeline'] {
  const spans: [string, number, number | null][] = [
    ['Load', 0, null],
    ['Collect', STARTS.collect, null],
    ['Train', STARTS.train, null],
    ['Certify', STARTS.certify, null],
    ['Ramp', STARTS.ramp, 0.25],
    ['Ramp', 124, 1],
    ['Serve', STARTS.serve, null],
    ['Recertify', STARTS.alarm, null],
  ];
  const begun = spans.filter(([, start]) => start <= now);
  return begun.map(([stage, startSeconds, share], i) => ({
    stage,
    share,
    startSeconds,
    endSeconds: begun[i + 1]?.[1] ?? null,
  }));
}

function decisionsAt(now: number): PageDecision[] {
  const all: [number, PageDecision['tone'], string, string, string][] = [
    [
      48,
      'Neutral',
      'TrainingStarted',
      'A training of candidate heads began.',
      'Attempt 1 on 10,000 rows (Missing).',
    ],
    [
      94,
      'Good',
      'TrainingSucceeded',
      'A training gave candidate heads.',
      'Heads for block02, block05, block07.',
    ],
    [
      95,
      'Neutral',
      'Shadowing',
      'Heads run on audited rows to collect evidence and answer nothing.',
      'Every request is an audit until the first look at 1,000 rows.',
    ],
    [
      109,
      'Warning',
      'NotCertified',
      'No lambda kept the disagreement within the budget at the required confidence.',
      'Look 1 of 3 at 1,004 audited rows allows no lambda.',
    ],
    [
      117,
      'Good',
      'Certified',
      'A certificate is in force and the detector is quiet.',
      'Lambda 0.013 at look 2: 12 of 3,012 audited rows disagree, predicted saving 71.4%.',
    ],
    [
      118,
      'Neutral',
      'RolloutStarted',
      'A certified candidate began its first step.',
      'The candidate takes 25% of the traffic.',
    ],
    [
      124,
      'Good',
      'RolloutStepAdvanced',
      'Every check of a step passed; the share rose.',
      'The candidate takes 100% of the traffic.',
    ],
    [
      130,
      'Good',
      'RolloutPromoted',
      'A candidate passed its last step and is stable now.',
      'Heads are stable at lambda 0.013.',
    ],
    [
      289,
      'Warning',
      'DriftHint',
      'A drift hint fired: audits are raised for a while, nothing else changes.',
      'Scores of block02 moved; 20% of the rows are audited for 10 minutes.',
    ],
    [300, 'Alarm', 'Alarm', 'Audited disagreement is above the budget; exits are off.', ALARM],
  ];
  return all
    .filter(([at]) => at <= now)
    .map(([atSeconds, tone, reason, meaning, message]) => ({
      atSeconds,
      tone,
      reason,
      meaning,
      message,
      headRevision: atSeconds < 94 ? null : HEADS,
    }));
}
