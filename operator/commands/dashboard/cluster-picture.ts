import { REASONS } from '../../../crds/v1alpha1/reasons.ts';
import { parsePercent } from '../../../crds/v1alpha1/percent.ts';
import type { PageCluster, PageExit, Picture } from '../../local/page/state/page-state.ts';
import { VERSION } from '../../version.ts';
import type { Explanation } from '../explain/explanation.ts';
import { explainService } from '../explain/explain-service.ts';
import { spanText } from '../output/words.ts';
import { conditionOf, type ServiceView } from '../service/service-view.ts';
import { clusterConditions, clusterDecisions } from './cluster-decisions.ts';
import { clusterEvidence } from './cluster-evidence.ts';
import { clusterExits } from './cluster-exits.ts';
import { clusterPods, podStatements } from './cluster-pods.ts';
import { clusterStages } from './cluster-stages.ts';
import type { DashboardFacts } from './dashboard-facts.ts';
import { errorsOf, rowsOf, sumOfPods, type PodReading } from './fleet.ts';

/** What a picture needs besides the facts: where they are from, when they were read, and what came before them. */
export interface PictureView {
  readonly context: string;
  readonly server: string;
  /** Second 0 of every time in the picture, in milliseconds since 1970. */
  readonly startMs: number;
  readonly nowMs: number;
  readonly stale: PageCluster['stale'];
  readonly isDeleted: boolean;
  readonly timeline: Picture['timeline'];
  /** Of the last moment, in the order of the exits; empty before there are two readings. */
  readonly exitRowsPerSecond: readonly number[];
}

const NO_TERMS = { budget: 0, confidence: 0.95 };

/** A service of a cluster as the page of local mode shows a run. Pure: the same facts give the same picture. */
export function clusterPicture(facts: DashboardFacts, view: PictureView): Picture {
  const { service, ledger, policy, events, fleet } = facts;
  const { startMs, nowMs } = view;
  const { pods } = fleet;
  // A spec that breaks a rule says none: pods go on under the policy in force.
  const { budget, confidence } = service.settings ?? policy ?? NO_TERMS;
  const secondsOf = (time: string | undefined): number | null => secondsSince(startMs, time);
  const recordedRows = sumOfPods(pods, (counts) => counts.recordedRows);
  const capacityRows = sumOfPods(pods, (counts) => counts.capacityRows);
  const rowsPerSecond = rateOf(facts, view);
  const explained = explainService({
    ...{ service, ledger, revisions: [], nowMs },
    pods: fleet.problem === null ? { rowsPerSecond, recordedRows, capacityRows } : null,
  });
  const { unshown, ...evidence } = clusterEvidence(service, ledger);
  const exits = clusterExits({
    ...{ service, ledger: ledger.ledger, perExit: explained.perExit, pods, confidence },
    rowsPerSecond: view.exitRowsPerSecond,
    ...agreementOf(service),
  });
  const decisions = clusterDecisions(events ?? [], secondsOf);
  return {
    schemaVersion: 2,
    run: { ...runOf(service, view), budgetRatio: budget, confidence, ...agreementOf(service) },
    cluster: clusterOf(service, view, secondsOf),
    unshown: {
      traffic: fleet.problem,
      slices: NO_SLICES,
      doubt: NO_DOUBT,
      evidence: unshown,
      decisions: whyNoDecisions(facts, decisions.length),
    },
    status: view.isDeleted ? 'Deleted' : 'Running',
    message: view.isDeleted ? deletedText(service) : missingText(explained),
    atSeconds: Math.max(0, nowMs - startMs) / 1000,
    stages: clusterStages({
      ...{ service, ledger: ledger.ledger, missing: explained.missing, nowMs },
      ...{ recordedRows, capacityRows },
    }),
    exitsAre: { on: explained.exits.state === 'On', why: explained.exits.message },
    totals: { ...totalsOf(pods), rowsPerSecond },
    ...evidence,
    latency: latencyOf(exits),
    saved: { timeRatio: ratioOf(service.status.accuracy?.saving), latencyRatio: null },
    exits,
    servers: clusterPods(pods, policy),
    timeline: [...view.timeline],
    decisions,
    statements: [...endpointStatements(service), ...podStatements(fleet)],
    drills: [],
    warnings: [],
    reportPath: null,
  };
}

const NO_SLICES =
  'In a cluster no row is answered twice to compare latencies. The command layercache bench sends such requests, and a local run measures it.';
const NO_DOUBT =
  'Saved per row: engine time before heads and audits. How sure heads are, pods tell the operator alone; the boards of the chart have it from audited rows';

/** Seconds after `startMs`, not below 0; null: no time. */
function secondsSince(startMs: number, time: string | undefined): number | null {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? null : Math.max(0, ms - startMs) / 1000;
}

/** As pods counted it in the last moment, else as the operator measured it over minutes. */
function rateOf({ ledger }: DashboardFacts, { exitRowsPerSecond }: PictureView): number | null {
  if (exitRowsPerSecond.length > 0) return exitRowsPerSecond.reduce((sum, rate) => sum + rate, 0);
  return ledger.ledger?.traffic.rowsPerSecond ?? null;
}

function runOf(
  service: ServiceView,
  { startMs }: PictureView,
): Omit<Picture['run'], 'budgetRatio' | 'confidence'> {
  const { name, namespace, status } = service;
  const { engine, device, digest, format } = status.backbone ?? {};
  return {
    id: new Date(startMs).toISOString(),
    version: VERSION,
    service: `${namespace}/${name}`,
    engine: engine === undefined ? '' : `${engine} on ${device ?? 'an unknown device'}`,
    backbone: [format, digest].filter((part) => part !== undefined).join(' ') || 'not loaded yet',
    traffic: 'requests of clients, as pods count them',
    seed: null,
    predictUrl: status.url === undefined ? null : `${status.url}/v2/models/${name}/infer`,
    metricsUrl: 'port 9090 of each pod, /metrics',
  };
}

/** Named only where the budget bounds no disagreement. */
function agreementOf({ settings }: ServiceView): Pick<Picture['run'], 'agreement'> {
  return settings?.agreement === 'F1' ? { agreement: settings.agreement } : {};
}

function clusterOf(
  service: ServiceView,
  { context, server, startMs, stale }: PictureView,
  secondsOf: (time: string | undefined) => number | null,
): PageCluster {
  const { policy, readyReplicas = 0 } = service.status;
  return {
    namespace: service.namespace,
    ...{ context, server, startMs, stale },
    policy:
      policy === undefined
        ? null
        : {
            epoch: policy.epoch ?? 0,
            revision: policy.revision ?? 0,
            acknowledged: policy.appliedReplicas ?? 0,
            readyPods: readyReplicas,
          },
    conditions: clusterConditions(service, secondsOf),
  };
}

function totalsOf(pods: readonly PodReading[]): Omit<Picture['totals'], 'rowsPerSecond'> {
  if (pods.every(({ counts }) => counts === null)) return NO_TOTALS;
  const requests = sumOfPods(pods, rowsOf);
  const errorsByCode: Record<string, number> = {};
  for (const { counts } of pods) {
    for (const [code, count] of counts?.errors ?? []) {
      errorsByCode[code] = (errorsByCode[code] ?? 0) + count;
    }
  }
  return {
    requests,
    early: requests - sumOfPods(pods, ({ rows }) => rows.get('backbone') ?? 0),
    optedOut: sumOfPods(pods, ({ optedOut }) => optedOut),
    errors: sumOfPods(pods, errorsOf),
    errorsByCode,
  };
}

/** The backbone is the last exit. */
function latencyOf(exits: readonly PageExit[]): Picture['latency'] {
  return { plain: null, layercache: null, backboneP50: exits.at(-1)?.latency?.p50 ?? null };
}

const NO_TOTALS = { requests: null, early: null, optedOut: null, errors: null, errorsByCode: {} };

function ratioOf(text: string | undefined): number | null {
  const ratio = parsePercent(text ?? '');
  return Number.isNaN(ratio) ? null : ratio;
}

/** The API server keeps events for an hour unless it was told otherwise. */
function whyNoDecisions({ service, events }: DashboardFacts, count: number): string | null {
  if (events === null) {
    return `This user may not list events in namespace ${service.namespace}, so decisions are not shown. ClusterRole view there has that right.`;
  }
  return count > 0
    ? null
    : 'The API server has no event of this service now; it keeps them for an hour or so. The conditions above tell where the service stands.';
}

/** What stands between the service and exits that answer. */
function missingText({ missing }: Explanation): string {
  const [first] = missing;
  if (first === undefined) return '';
  const time = first.seconds === null ? '' : `, ${spanText(first.seconds)} at present traffic`;
  return `Missing: ${first.what.replace(/\.$/, '')}${time}.`;
}

function deletedText({ namespace, name }: ServiceView): string {
  return `The API server has ${namespace}/${name} no more. What stands here was read before; a new service of that name shows up by itself.`;
}

/** What is wrong with the endpoint, with what to do about it. */
function endpointStatements(service: ServiceView): Picture['statements'] {
  const { conditions } = service.status;
  const { settingsProblem } = service;
  const broken =
    settingsProblem === null
      ? []
      : [{ reason: 'InvalidSpec', message: settingsProblem, nextStep: REASONS.InvalidSpec.action }];
  const wrong = ['Ready', 'PolicyApplied'].flatMap((type) => {
    const condition = conditionOf(conditions, type);
    if (condition === undefined || condition.status === 'True') return [];
    // Its message ends with what to do.
    return [{ reason: condition.reason, message: condition.message, nextStep: '' }];
  });
  return [...broken, ...wrong];
}
