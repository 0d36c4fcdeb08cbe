import type { Acknowledgement } from '../crds/wire/acknowledgement.ts';
import { LAMBDAS } from '../crds/wire/lambda-grid.ts';
import type { Policy } from '../crds/wire/policy.ts';
import { DRIFT_HINTS } from '../crds/wire/drift-hints.ts';
import type { ApplyObserver, ApplyPath } from './apply-policy.ts';
import type { LoadProgress } from './backbone/load-progress.ts';
import type { EngineClient, EngineReport } from './engine/engine-client.ts';
import { ERRORS } from './errors.ts';
import type { HostEndCause } from './engine/host-end.ts';
import type { EvidenceReader } from './evidence/evidence-reader.ts';
import type { ServerLifecycle } from './lifecycle.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { Metrics, MetricRegistry } from './metrics.ts';
import type { SwitchOffCause } from './safety.ts';
import type { Serving, ServingControl } from './serving.ts';
import { answeringExits, limitsOf } from './serving.ts';
import type { RemoteHeadsOptions } from './store/remote-heads.ts';
import type { TrafficMetrics } from './traffic-metrics.ts';
import { createTrafficMetrics, segmentNames } from './traffic-metrics.ts';
import { COMMIT } from './version.ts';

/** Where gauges come from: they are set when somebody scrapes, not when something changes. */
export interface GaugeSources {
  readonly lifecycle: ServerLifecycle;
  readonly engine: EngineClient;
  readonly loaded: LoadedModel | null;
  readonly servings: ServingControl;
  readonly progress: LoadProgress;
  readonly reader: EvidenceReader;
  /** Wall clock. */
  readonly nowMs: number;
}

export interface ServerMetrics {
  readonly traffic: TrafficMetrics;
  backboneLoaded(report: EngineReport, seconds: number, progress: LoadProgress): void;
  warmedUp(seconds: number): void;
  policyApplied(acknowledgement: Acknowledgement, path: ApplyPath, nowMs: number): void;
  readonly headsSwapped: ApplyObserver['headsSwapped'];
  readonly headsFetched: RemoteHeadsOptions['onFetched'];
  switchedOff(cause: SwitchOffCause | 'engine' | 'policy'): void;
  windowsClosed(windows: number): void;
  engineRestarted(cause: HostEndCause): void;
  gather(sources: GaugeSources): void;
  render: MetricRegistry['render'];
}

const RESULTS = {
  Applied: 'applied',
  AlreadyApplied: 'already_applied',
  Stale: 'stale',
  Rejected: 'rejected',
} as const;

export function createServerMetrics(
  { metrics, render, followExits, followSegments }: MetricRegistry,
  version: string,
): ServerMetrics {
  for (const protocol of ['v1', 'v2'] as const) {
    for (const code of ['ok', ...Object.keys(ERRORS)]) metrics.requests.inc({ protocol, code }, 0);
  }
  for (const track of ['stable', 'candidate'] as const) {
    metrics.rows.inc({ exit: 'backbone', track }, 0);
    metrics.audits.inc({ exit: 'backbone', track, result: 'agree' }, 0);
    metrics.auditLoss.inc({ exit: 'backbone', track }, 0);
  }
  for (const source of ['s3', 'oci']) {
    for (const result of ['ok', 'failed'] as const) {
      metrics.fetches.inc({ kind: 'heads', source, result }, 0);
      metrics.fetchBytes.inc({ kind: 'heads', source, result }, 0);
    }
  }
  let counted = { attempts: 0, bytes: 0 };
  metrics.buildInfo.set({ version, commit: COMMIT, node_version: process.versions.node }, 1);
  return {
    traffic: createTrafficMetrics(metrics),
    backboneLoaded: ({ model, engine }, seconds, { source, bytes }) => {
      const digest = model.digest.replace('sha256:', '').slice(0, 12);
      metrics.backboneInfo.set({ format: model.format, engine: engine.kind, digest }, 1);
      metrics.backboneLoad.set({}, seconds);
      metrics.fetches.inc({ kind: 'backbone', source, result: 'ok' });
      metrics.fetchBytes.inc({ kind: 'backbone', source, result: 'ok' }, bytes.since);
    },
    warmedUp: (seconds) => {
      metrics.warmUp.set({}, seconds);
    },
    policyApplied: ({ result }, path, nowMs) => {
      metrics.policyApplies.inc({ path, result: RESULTS[result] });
      if (result === 'Applied') metrics.policyApplied.set({}, nowMs / 1000);
    },
    headsSwapped: (isApplied, seconds) => {
      const result = isApplied ? 'applied' : 'rejected';
      metrics.headSwaps.inc({ result });
      metrics.headSwapDuration.observe({ result }, seconds);
    },
    headsFetched: ({ source, isUsable, bytes }) => {
      const series = { kind: 'heads', source, result: isUsable ? 'ok' : 'failed' } as const;
      metrics.fetches.inc(series);
      metrics.fetchBytes.inc(series, bytes);
    },
    switchedOff: (cause) => {
      metrics.exitsSwitchedOff.inc({ cause });
    },
    windowsClosed: (windows) => {
      metrics.evidenceWindows.inc({}, windows);
    },
    engineRestarted: (cause) => {
      metrics.engineRestarts.inc({ cause });
    },
    gather: (sources) => {
      counted = gatherFetches(metrics, sources.progress, counted);
      gatherServer(metrics, sources);
      gatherModel(metrics, sources);
      const serving = sources.servings.latest();
      gatherExits(metrics, serving);
      followExits(exitsOf(serving));
      followSegments(new Set(serving === null ? [] : segmentNames(serving)));
    },
    render,
  };
}

/** What failed since the last page. @returns what is counted now */
function gatherFetches(
  metrics: Metrics,
  { now, source, bytes }: LoadProgress,
  before: { readonly attempts: number; readonly bytes: number },
): { attempts: number; bytes: number } {
  const failed = { kind: 'backbone', source, result: 'failed' } as const;
  metrics.fetches.inc(failed, now.failedAttempts - before.attempts);
  metrics.fetchBytes.inc(failed, bytes.failed - before.bytes);
  for (const family of [metrics.fetches, metrics.fetchBytes]) {
    family.inc({ kind: 'backbone', source, result: 'ok' }, 0);
  }
  return { attempts: now.failedAttempts, bytes: bytes.failed };
}

function gatherServer(
  metrics: Metrics,
  { lifecycle, engine, loaded, servings, reader }: GaugeSources,
): void {
  metrics.ready.set({}, lifecycle.isReady() ? 1 : 0);
  metrics.engineUp.set({}, engine.status === 'Up' ? 1 : 0);
  const { rssBytes, activations, plans } = engine.memory();
  metrics.engineMemory.set({ kind: 'rss' }, rssBytes);
  metrics.engineActivations.set({}, activations);
  metrics.enginePlans.set({}, plans);
  metrics.queueRows.set({}, loaded?.batcher.queuedRows ?? 0);
  metrics.queueCapacity.set({}, limitsOf(servings.latest()).maxQueueLength);
  if (reader.lastReadMs !== null) metrics.evidenceRead.set({}, reader.lastReadMs / 1000);
  metrics.sampleReservoir.set({}, loaded?.samples.counts().long ?? 0);
  metrics.sampleReservoirCapacity.set({}, loaded?.samples.capacityRows() ?? 0);
}

function gatherModel(metrics: Metrics, { loaded, nowMs }: GaugeSources): void {
  const hints = loaded?.drift.active() ?? [];
  for (const kind of DRIFT_HINTS) metrics.driftHint.set({ kind }, hints.includes(kind) ? 1 : 0);
  const silentMs = loaded?.safety.silentMs() ?? null;
  if (silentMs !== null) metrics.policyHeard.set({}, (nowMs - silentMs) / 1000);
}

/** Of all heads that run, whether they may answer or not. */
function exitsOf(serving: Serving | null): ReadonlySet<string> {
  const tracks = serving?.plan.tracks ?? [];
  return new Set(tracks.flatMap(({ bundle }) => bundle.heads.map(({ exit }) => exit)));
}

function gatherExits(metrics: Metrics, serving: Serving | null): void {
  for (const gauge of [metrics.exitEnabled, metrics.lambda, metrics.headInfo]) gauge.clear();
  if (serving === null) return;
  gatherPolicy(metrics, serving.policy);
  for (const { track, headRevision, bundle, lambdaIndex } of serving.plan.tracks) {
    metrics.headInfo.set({ track, head_revision: headRevision }, 1);
    const answering = answeringExits(serving, track);
    for (const { exit } of bundle.heads) {
      metrics.exitEnabled.set({ exit, track }, answering.includes(exit) ? 1 : 0);
    }
    if (answering.length > 0 && lambdaIndex !== null) {
      metrics.lambda.set({ track }, LAMBDAS[lambdaIndex] ?? 0);
    }
  }
}

function gatherPolicy(metrics: Metrics, policy: Policy | null): void {
  if (policy === null) return;
  metrics.policyEpoch.set({}, policy.epoch);
  metrics.policyRevision.set({}, policy.revision);
  metrics.auditRate.set({}, policy.auditRate);
  metrics.budget.set({}, policy.budget);
}
