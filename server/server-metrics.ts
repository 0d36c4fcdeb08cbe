import type { Acknowledgement } from '../crds/wire/acknowledgement.ts';
import { LAMBDAS } from '../crds/wire/lambda-grid.ts';
import type { Policy } from '../crds/wire/policy.ts';
import type { ApplyPath } from './apply-policy.ts';
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
import type { TrafficMetrics } from './traffic-metrics.ts';
import { createTrafficMetrics } from './traffic-metrics.ts';

/** Where gauges come from: they are set when somebody scrapes, not when something changes. */
export interface GaugeSources {
  readonly lifecycle: ServerLifecycle;
  readonly engine: EngineClient;
  readonly loaded: LoadedModel | null;
  readonly servings: ServingControl;
  readonly progress: LoadProgress;
  readonly reader: EvidenceReader;
}

export interface ServerMetrics {
  readonly traffic: TrafficMetrics;
  backboneLoaded(report: EngineReport, seconds: number): void;
  policyApplied(acknowledgement: Acknowledgement, path: ApplyPath, nowMs: number): void;
  swapped(): void;
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
  { metrics, render, followExits }: MetricRegistry,
  version: string,
): ServerMetrics {
  for (const protocol of ['v1', 'v2'] as const) {
    for (const code of ['ok', ...Object.keys(ERRORS)]) metrics.requests.inc({ protocol, code }, 0);
  }
  for (const track of ['stable', 'candidate'] as const) {
    metrics.rows.inc({ exit: 'backbone', track }, 0);
    metrics.audits.inc({ exit: 'backbone', track, result: 'agree' }, 0);
  }
  let countedFailures = 0;
  metrics.buildInfo.set({ version, commit: '', node_version: process.versions.node }, 1);
  return {
    traffic: createTrafficMetrics(metrics),
    backboneLoaded: ({ model, engine }, seconds) => {
      const digest = model.digest.replace('sha256:', '').slice(0, 12);
      metrics.backboneInfo.set({ format: model.format, engine: engine.kind, digest }, 1);
      metrics.backboneLoad.set({}, seconds);
      metrics.fetches.inc({ kind: 'backbone', result: 'ok' });
    },
    policyApplied: ({ result }, path, nowMs) => {
      metrics.policyApplies.inc({ path, result: RESULTS[result] });
      if (result === 'Applied') metrics.policyApplied.set({}, nowMs / 1000);
      if (result === 'Rejected') metrics.headSwaps.inc({ result: 'rejected' });
    },
    swapped: () => {
      metrics.headSwaps.inc({ result: 'applied' });
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
      const { failedAttempts } = sources.progress.now;
      metrics.fetches.inc({ kind: 'backbone', result: 'failed' }, failedAttempts - countedFailures);
      countedFailures = failedAttempts;
      gatherServer(metrics, sources);
      const serving = sources.servings.latest();
      gatherExits(metrics, serving);
      followExits(exitsOf(serving));
    },
    render,
  };
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
