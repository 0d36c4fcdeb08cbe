import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import { LAMBDAS } from '../../../crds/wire/lambda-grid.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import type { ServiceSettings } from '../../../crds/v1alpha1/settings.ts';
import { agreementOf } from '../../../server/core/agreement.ts';
import type { Decision, ExitCandidate } from '../../lifecycle/types.ts';
import type { SliceLatencies } from '../replay/slices.ts';
import { quantilesOfDigest } from '../web/quantiles.ts';
import { netMacsSavedRatio } from './macs.ts';
import { sourceFields } from '../../plan/select-exits.ts';
import { headMacs, revisionMacs } from '../../fleet/model-costs.ts';
import type { Statement } from '../limits/statement.ts';
import type {
  Report,
  ReportAlarm,
  ReportDrill,
  ReportLatency,
  ReportScope,
} from './report-schema.ts';
import { STUDENT_EXIT } from '../../../crds/wire/student.ts';
import type { RunCounts } from './run-history.ts';
import type { RunTally, ScopeTally } from './run-tally.ts';
import { upperLimit } from './upper-limit.ts';
import type { TrueDisagreement, Truth } from './true-disagreement.ts';

/** Everything a run knows at its end. */
export interface RunRecord {
  readonly service: string;
  readonly settings: ServiceSettings;
  readonly state: ServerState;
  /** Node, engine, CPU. */
  readonly versions: Readonly<Record<string, string>>;
  readonly exits: readonly ExitCandidate[];
  readonly bundles: ReadonlyMap<string, HeadBundle>;
  readonly phases: Report['phases'];
  /** The last policy whose certificate let exits answer. */
  readonly certified: Policy | null;
  readonly tally: RunTally;
  readonly history: readonly RunCounts[];
  readonly latencies: SliceLatencies;
  /** Null: interrupted before the comparison. */
  readonly truth: Truth | null;
  readonly decisions: readonly Decision[];
  readonly alarms: readonly ReportAlarm[];
  readonly drills: readonly ReportDrill[];
  readonly statements: readonly Statement[];
  readonly startedMs: number;
  readonly traffic: Report['traffic'];
  readonly complete: boolean;
  readonly command: string;
}

export function buildReport(record: RunRecord): Report {
  const { state, tally } = record;
  const certificate = certificateOf(record);
  const latencyMs = {
    backbone: summarise(record.latencies.backboneMs),
    layercache: summarise(record.latencies.layercacheMs),
  };
  const errors = Object.fromEntries([...tally.errors].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    schemaVersion: 2,
    service: record.service,
    ...(record.settings.agreement === 'F1' ? { agreement: record.settings.agreement } : {}),
    engine: {
      kind: state.engine.kind,
      device: state.engine.device,
      threads: state.engine.threads,
      versions: { ...record.versions },
    },
    backbone: {
      digest: state.backbone.digest,
      macs: state.backbone.macs,
      latencyMs: latencyMs.backbone,
    },
    exits: record.exits.map((exit) => toExit(exit, record, certificate?.headRevision ?? null)),
    phases: record.phases,
    certificate,
    serving: toScope(tally.serving, record, record.truth?.serving ?? null),
    run: toScope(tally.run, record, record.truth?.run ?? null),
    latencyByExit: latencyByExit(tally),
    history: record.history.map((counts) => toPoint(counts, record.settings)),
    alarms: record.alarms.map((alarm) => withTruth(alarm, record)),
    rollouts: eventsOf(record, [
      'RolloutStarted',
      'RolloutStepAdvanced',
      'RolloutPromoted',
      'RolloutAborted',
      'LambdaTightened',
    ]),
    drills: [...record.drills],
    statements: [...record.statements],
    traffic: record.traffic,
    errors: { count: [...tally.errors.values()].reduce((a, b) => a + b, 0), byCode: errors },
    complete: record.complete,
    command: record.command,
  };
}

function toScope(
  scope: ScopeTally,
  record: RunRecord,
  truth: TrueDisagreement | null,
): ReportScope {
  const { audits, disagreements, busySeconds, plainSeconds } = scope.evidence;
  const macs = new Map(
    [...record.bundles].map(([revision, bundle]) => [revision, revisionMacs(bundle, record.state)]),
  );
  const { optedOut } = record.tally;
  const backbone = summarise(record.latencies.backboneMs);
  const layercache = summarise(record.latencies.layercacheMs);
  return {
    requests: scope.requests,
    optedOutShare: optedOut === 0 ? 0 : optedOut / (optedOut + scope.requests),
    exitShare: exitShares(scope),
    auditedDisagreement: {
      n: audits,
      k: disagreements,
      upper: upperLimit(scope.evidence, record.settings),
    },
    trueDisagreement: truth === null ? null : { n: scope.distinct, k: truth.k },
    netMacsSavedRatio: netMacsSavedRatio(scope, macs, record.state.backbone.macs),
    netTimeSavedRatio: plainSeconds > 0 ? 1 - busySeconds / plainSeconds : null,
    latencyMs: { backbone, layercache },
    meanLatencySavedRatio:
      backbone === null || layercache === null ? null : 1 - layercache.mean / backbone.mean,
    accuracy: toAccuracy(scope, truth),
  };
}

function toPoint(
  { rows, ...counts }: RunCounts,
  settings: ServiceSettings,
): Report['history'][number] {
  return { ...counts, rows: [...rows], upper: upperLimit(counts, settings) };
}

function latencyByExit({ latency }: RunTally): Report['latencyByExit'] {
  const entries = [...latency].flatMap(([exit, counter]) => {
    const quantiles = quantilesOfDigest(counter.snapshot());
    if (quantiles === null) return [];
    const { mean, p50, p99 } = quantiles;
    return [[exit, { mean, p50, p99 }] as const];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function toAccuracy(scope: ScopeTally, truth: TrueDisagreement | null): ReportScope['accuracy'] {
  if (scope.labelled === 0) return null;
  const backboneRight = truth === null ? null : scope.rightByBackbone + truth.backboneRight;
  return {
    n: scope.labelled,
    served: scope.right / scope.labelled,
    backbone: backboneRight === null ? null : backboneRight / scope.labelled,
  };
}

function exitShares(scope: ScopeTally): Record<string, number> {
  const counts = new Map<string, number>();
  for (const byExit of scope.rows.values()) {
    for (const [exit, rows] of byExit) counts.set(exit, (counts.get(exit) ?? 0) + rows);
  }
  return Object.fromEntries(
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([exit, rows]) => [exit, rows / scope.requests]),
  );
}

/** Mean and quantiles by nearest rank; null without values. */
export function summarise(values: readonly number[]): ReportLatency | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
  return { mean: values.reduce((a, b) => a + b, 0) / values.length, p50: at(0.5), p99: at(0.99) };
}

function toExit(
  exit: ExitCandidate,
  record: RunRecord,
  certified: string | null,
): Report['exits'][number] {
  const { name, tensor, sourceHeader, macsShare, msShare } = exit;
  const bundle = certified === null ? undefined : record.bundles.get(certified);
  const head = bundle === undefined ? null : toHead(bundle, name, record.state);
  // What a student costs is known once there is one.
  const ownShare = name === STUDENT_EXIT ? (head?.macs ?? 0) / record.state.backbone.macs : 0;
  return {
    name,
    tensor: tensor ?? null,
    ...sourceFields(sourceHeader),
    macsShare: macsShare + ownShare,
    msShare: msShare + ownShare,
    head,
  };
}

function toHead(
  bundle: HeadBundle,
  exit: string,
  state: ServerState,
): Report['exits'][number]['head'] {
  const head = bundle.heads.find((candidate) => candidate.exit === exit);
  if (head === undefined) return null;
  const facts = bundle.training.exits.find((candidate) => candidate.exit === exit);
  const { auroc = null, agreement = null, coverage = null } = facts ?? {};
  const macs = headMacs(head, bundle.classCount, state);
  return { pool: head.pool, hidden: head.hidden, macs, auroc, agreement, coverage };
}

function certificateOf({ certified, settings }: RunRecord): Report['certificate'] {
  const track = certified === null ? null : trackInForce(certified);
  if (!track?.certificate) return null;
  const { audits, disagreements, look } = track.certificate;
  return {
    headRevision: track.headRevision,
    lambda: LAMBDAS[track.lambdaIndex ?? 0] ?? 0,
    n: audits,
    disagreements: disagreements / agreementOf(track.certificate).rowUnits,
    epsilon: settings.budget,
    delta: roundTo12(1 - settings.confidence),
    look,
  };
}

/** The track that has all traffic. */
function trackInForce({ stable, candidate }: Policy): Policy['stable'] {
  return candidate?.share === 1 ? candidate : stable;
}

/** 1 - 0.95 prints as 0.05. */
function roundTo12(x: number): number {
  return Number(x.toPrecision(12));
}

/** What the comparison with the backbone found among the rows that a drift met with exits on. */
function withTruth(alarm: ReportAlarm, { truth, tally }: RunRecord): ReportAlarm {
  if (alarm.drift === null) return alarm;
  const served = { n: tally.exposed.n, k: truth?.exposed.k ?? null };
  return { ...alarm, drift: { ...alarm.drift, served } };
}

function eventsOf(record: RunRecord, reasons: readonly Decision['reason'][]): Report['rollouts'] {
  return record.decisions
    .filter(({ reason }) => reasons.includes(reason))
    .map(({ nowMs, reason, message, headRevision }) => ({
      atSeconds: Math.max(0, (nowMs - record.startedMs) / 1000),
      reason,
      message,
      headRevision,
    }));
}
