import { createHash } from 'node:crypto';
import type { EvidenceAnswer } from '../crds/wire/evidence.ts';
import type { LoadingState } from '../crds/wire/loading-state.ts';
import { POLICY_SCHEMA_VERSIONS } from '../crds/wire/policy.ts';
import type { ServerState } from '../crds/wire/state.ts';
import { serializeServerState } from '../crds/wire/state.ts';
import type { LoadProgress } from './backbone/load-progress.ts';
import type { CompanionDesk } from './companion-desk.ts';
import type { EngineClient } from './engine/engine-client.ts';
import type { ServerLifecycle } from './lifecycle.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { ServingControl } from './serving.ts';
import { limitsOf } from './serving.ts';

export interface StateDependencies {
  readonly identity: { readonly podUid: string; readonly bootId: string };
  readonly version: string;
  readonly modelName: string;
  readonly engine: EngineClient;
  readonly servings: ServingControl;
  readonly lifecycle: ServerLifecycle;
  readonly progress: LoadProgress;
  readonly companions: Pick<CompanionDesk, 'models' | 'reports'>;
}

/** The answer of GET /v1/state until the backbone is loaded. */
export function describeLoading(dependencies: StateDependencies): LoadingState {
  return {
    schemaVersion: 1,
    version: dependencies.version,
    ...dependencies.identity,
    model: dependencies.modelName,
    loading: dependencies.progress.now,
    companions: dependencies.companions.reports(),
  };
}

/** The answer of GET /v1/state. */
export function describeState(dependencies: StateDependencies, loaded: LoadedModel): ServerState {
  const { engine, servings } = dependencies;
  const { report, applier, safety } = loaded;
  const { model } = report;
  const serving = servings.latest();
  const policy = serving?.policy ?? null;
  const engineMemory = engine.memory();
  return {
    schemaVersion: 1,
    version: dependencies.version,
    ...dependencies.identity,
    model: dependencies.modelName,
    ready: dependencies.lifecycle.isReady(),
    engine: report.engine,
    backbone: {
      digest: model.digest,
      format: model.format,
      sizeBytes: model.sizeBytes,
      macs: model.macs,
      ...(model.detection === undefined ? {} : { task: 'Detection' }),
      classCount: model.classCount,
      outputName: model.outputName,
      outputKind: model.outputKind,
      outputProblem: model.outputProblem,
      inputs: model.inputs,
      outputs: model.outputs,
      labels: loaded.labels,
    },
    cuts: model.cuts,
    rejectedCuts: model.rejectedCuts,
    headCost: report.headCost,
    costs: serving?.costs ?? report.costs,
    policySchemaVersions: POLICY_SCHEMA_VERSIONS,
    policy:
      policy === null
        ? null
        : {
            epoch: policy.epoch,
            revision: policy.revision,
            exitsEnabled: policy.exitsEnabled,
          },
    acknowledgement: applier.acknowledgement(),
    heads: loaded.heads
      .list()
      .map((head) => ({ ...head, inUse: applier.isInUse(head.headRevision) })),
    ...missingHeadsOf(loaded),
    switchedOff: (serving?.plan.tracks ?? []).flatMap((track) =>
      safety.switchedOff(policy, track.headRevision),
    ),
    companions: dependencies.companions.reports(),
    ...companionModelsOf(dependencies),
    samples: loaded.samples.counts(),
    ...inputsOf(loaded),
    queue: {
      rows: loaded.batcher.queuedRows,
      capacity: limitsOf(serving).maxQueueLength,
      modalBatchRows: loaded.batcher.modalBatchRows,
    },
    memory: {
      rssBytes: process.memoryUsage.rss(),
      engineRssBytes: engineMemory.rssBytes,
      activations: engineMemory.activations,
    },
  };
}

/** Only where there are some: operators of the version before do not know the field. */
function companionModelsOf({ companions }: StateDependencies): Partial<ServerState> {
  const companionModels = companions.models();
  return companionModels.length === 0 ? {} : { companionModels };
}

/** Only where some may be held: operators of the version before do not know the field. */
function inputsOf({ inputs }: LoadedModel): Pick<ServerState, 'inputs'> {
  return inputs === null ? {} : { inputs: inputs.counts() };
}

/** Only where something is missing: operators of the version before do not know the field. */
function missingHeadsOf({ remote }: LoadedModel): Pick<ServerState, 'missingHeads'> {
  const missingHeads = remote.problems();
  return missingHeads.length === 0 ? {} : { missingHeads };
}

/** Changes when something in the state changes that a reader acts on; figures that always move are left out. */
function digestState(state: ServerState): string {
  const still: ServerState = {
    ...state,
    queue: { ...state.queue, rows: 0, modalBatchRows: 1 },
    samples: { long: 0, recent: 0, seen: 0 },
    ...(state.inputs === undefined ? {} : { inputs: { ...state.inputs, rows: 0 } }),
    memory: { rssBytes: 0, engineRssBytes: 0, activations: 0 },
  };
  return `sha256:${createHash('sha256').update(serializeServerState(still)).digest('hex')}`;
}

/** The answer of GET /v1/evidence. */
export function describeEvidence(
  dependencies: StateDependencies,
  loaded: LoadedModel,
  after: number,
): EvidenceAnswer {
  const windows = loaded.ring.after(after);
  return {
    schemaVersion: 1,
    ...dependencies.identity,
    oldestSeq: loaded.ring.oldestSeq,
    newestSeq: loaded.ring.newestSeq,
    stateDigest: digestState(describeState(dependencies, loaded)),
    acknowledgement: loaded.applier.acknowledgement(),
    windows,
  };
}
