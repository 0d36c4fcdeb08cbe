import type { Acknowledgement } from '../crds/wire/acknowledgement.ts';
import type { MissingHeadsReport } from '../crds/wire/state.ts';
import type { ApplyObserver, ApplyPath } from './apply-policy.ts';
import { createPolicyApplier } from './apply-policy.ts';
import { createBackboneWatch } from './backbone-watch.ts';
import type { Clock } from './clock.ts';
import { invariant } from './core/invariant.ts';
import { normaliseBytes } from './core/normalise-bytes.ts';
import type { ServerConfig } from './config.ts';
import { createDriftWatch } from './drift-watch.ts';
import type { CompanionDesk } from './companion-desk.ts';
import type { Students } from './students.ts';
import type { EngineClient, EngineReport } from './engine/engine-client.ts';
import type { Draws } from './evidence/draws.ts';
import { createInputRecorder, type InputRecorder } from './evidence/input-recorder.ts';
import { createSampleRecorder } from './evidence/sample-recorder.ts';
import { createWindowRecorder } from './evidence/window-recorder.ts';
import { createWindowRing } from './evidence/window-ring.ts';
import type { ModelNotes } from './engine/model-notes.ts';
import { toModelShape } from './http/model-shape.ts';
import { toImageInput } from './image/image-input.ts';
import type { LoadedModel } from './loaded-model.ts';
import { createBatchObserver } from './observe-batches.ts';
import { createBatcher } from './queue/batcher.ts';
import type { InferJob } from './queue/job.ts';
import { createPoisonList } from './queue/poison.ts';
import { createSourceFrames } from './queue/source-frames.ts';
import type { SwitchOffCause } from './safety.ts';
import { createSafety } from './safety.ts';
import type { ServingControl } from './serving.ts';
import { createBootCounter } from './store/boot-counter.ts';
import { createHeadFetch } from './store/fetch-heads.ts';
import { createHeadFiles } from './store/head-files.ts';
import { createRemoteHeads, type RemoteHeadsOptions } from './store/remote-heads.ts';
import type { TrafficMetrics } from './traffic-metrics.ts';

export interface LoadDependencies {
  readonly config: ServerConfig;
  readonly identity: { readonly podUid: string; readonly bootId: string };
  readonly engine: EngineClient;
  readonly servings: ServingControl;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly metrics: TrafficMetrics;
  readonly notes: ModelNotes;
  readonly companions: CompanionDesk;
  readonly students: Students;
  /** Directory that the mounted policy was last read from. */
  readonly mountedDirs: readonly string[];
  readonly events: ServerEvents;
}

/** What happens apart from traffic; create-server.ts logs and counts it. */
export interface ServerEvents {
  readonly policyApplied: (acknowledgement: Acknowledgement, path: ApplyPath) => void;
  readonly headsSwapped: ApplyObserver['headsSwapped'];
  readonly headsFetched: RemoteHeadsOptions['onFetched'];
  switchedOff(cause: SwitchOffCause | 'engine' | 'policy', error?: unknown): void;
  readonly windowsClosed: (windows: number) => void;
  readonly diskFailed: (error: unknown) => void;
  readonly backboneChecked: (isRight: boolean) => void;
  readonly headsMissing: (problem: MissingHeadsReport) => void;
}

/** Wires everything that needs to know the backbone. */
export function createLoadedModel(
  dependencies: LoadDependencies,
  report: EngineReport,
): LoadedModel {
  const { config, identity, engine, servings, clock, draws, events } = dependencies;
  const { model } = report;
  const image = toImageInput(dependencies.notes.input, model.inputs[0]?.shape.slice(1) ?? []);
  invariant(image.ok, 'an engine opened a model whose declared image is none of its rows');
  const ring = createWindowRing(clock);
  const samples = createSampleRecorder({
    ...identity,
    model,
    memoryBytes: config.sampleMemoryBytes,
    clock,
    random: draws.uniform,
  });
  const inputs = createInputs(dependencies, report);
  const safety = createSafety({
    clock,
    onChange: (cause) => {
      events.switchedOff(cause);
      applier.refresh();
    },
  });
  const drift = createDriftWatch(clock);
  const windows = createWindowRecorder({
    ...identity,
    backboneDigest: model.digest,
    clock,
    ring,
    // Staleness is the operator's own silence: it is no alarm, and not told as one.
    switchedOff: (headRevision) =>
      safety
        .switchedOff(servings.latest()?.policy ?? null, headRevision)
        .filter(({ cause }) => cause !== 'stale_policy')
        .map(({ exit }) => exit),
    driftHints: () => drift.active(),
    onClosed: events.windowsClosed,
  });
  const heads = createHeadFiles({
    model,
    cacheDir: config.cacheDir,
    readDirs: dependencies.mountedDirs,
    isInUse: (headRevision) => applier.isInUse(headRevision),
    onDiskError: events.diskFailed,
  });
  const remote = createRemoteHeads({
    files: heads,
    fetch: createHeadFetch(config, clock),
    onArrived: (headRevision) => void applier.headArrived(headRevision),
    onProblem: events.headsMissing,
    onFetched: events.headsFetched,
  });
  const observer: ApplyObserver = {
    applied: events.policyApplied,
    swapped: (next, former) => {
      if (former?.policy?.exitsEnabled === true && next.policy?.exitsEnabled === false) {
        samples.restart();
        inputs?.wipe();
        events.switchedOff('policy');
      }
    },
    headsSwapped: events.headsSwapped,
    planFailed: (error) => {
      events.switchedOff('engine', error);
    },
  };
  const applier = createPolicyApplier({
    identity,
    modelName: config.modelName,
    model,
    companions: dependencies.companions,
    students: dependencies.students,
    engine,
    servings,
    heads,
    remote,
    safety,
    bootCounter: createBootCounter(config.cacheDir),
    clock,
    observer,
  });
  servings.onSwap(windows.onSwap);
  servings.onSwap(drift.onSwap);
  const frames = createSourceFrames(clock);
  // Another policy, or an engine that was started again: what is certified now was not asked about frames of before.
  servings.onSwap(() => {
    frames.forget();
  });
  const backbone = createBackboneWatch({ engine, clock, onChecked: events.backboneChecked });
  const batcher = createBatcher({
    engine,
    servings,
    observer: createBatchObserver({
      windows,
      samples,
      inputs: inputs && { recorder: inputs, toRow: rowReader(dependencies, report) },
      safety,
      drift,
      backbone,
      metrics: dependencies.metrics,
    }),
    frames,
    poison: createPoisonList(clock),
    clock,
  });
  return {
    report,
    shape: toModelShape(model, { image: image.value, limits: config.requestLimits }),
    labels: dependencies.notes.labels,
    batcher,
    windows,
    ring,
    samples,
    inputs,
    safety,
    drift,
    heads,
    remote,
    applier,
  };
}

/** Null: the service holds none, students are of another format than the backbone, or rows have no one size. */
function createInputs(
  { config, identity, clock }: LoadDependencies,
  { model }: EngineReport,
): InputRecorder | null {
  const rowShape = model.inputs[0]?.shape.slice(1) ?? [];
  const isFixed = rowShape.length > 0 && rowShape.every((extent) => extent > 0);
  if (config.inputMemoryBytes === 0 || model.format !== 'ONNX' || !isFixed) return null;
  return createInputRecorder({
    ...identity,
    backboneDigest: model.digest,
    rowShape,
    maxBytes: config.inputMemoryBytes,
    retentionMs: config.inputRetentionMs,
    clock,
  });
}

/** A row as it came -> as the backbone takes it. */
function rowReader(
  { notes }: LoadDependencies,
  { model }: EngineReport,
): (bytes: Uint8Array, datatype: InferJob['datatype']) => Float32Array {
  const rowDims = model.inputs[0]?.shape.slice(1) ?? [];
  return (bytes, datatype) =>
    datatype === 'UINT8'
      ? normaliseBytes(bytes, rowDims, notes.input)
      : new Float32Array(bytes.slice().buffer);
}
