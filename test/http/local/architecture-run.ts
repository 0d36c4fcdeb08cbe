// One real server on one model, and the steps that an operator takes with it, each over HTTP.
import type { Acknowledgement } from '../../../crds/wire/acknowledgement.ts';
import type { EvidenceWindow } from '../../../crds/wire/evidence.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import type { Result } from '../../../crds/wire/result.ts';
import type { CostTable, ServerState } from '../../../crds/wire/state.ts';
import { systemClock } from '../../../operator/clock.ts';
import { verifyBundle, type VerifiedBundle } from '../../../operator/fleet/pull-bundle.ts';
import { pullEvidence } from '../../../operator/fleet/pull-evidence.ts';
import { pullState } from '../../../operator/fleet/pull-state.ts';
import { pushPolicy } from '../../../operator/fleet/push-policy.ts';
import {
  startServer,
  stopServer,
  type ServerProcess,
} from '../../../operator/local/processes/server-process.ts';
import { answerOutputOf } from '../../../operator/local/answer-output.ts';
import { createInferClient } from '../../../operator/local/replay/infer-client.ts';
import {
  createInferCodec,
  type InferAnswer,
  type InferMode,
} from '../../../operator/local/replay/infer-codec.ts';
import { createRowEncoder } from '../../../operator/local/traffic/row-encoder.ts';
import { memorySource } from '../../../operator/local/traffic/source.ts';
import { createOnnxTrainer } from '../../../operator/trainer/onnx-step.ts';
import { pullSamples } from '../../../operator/trainer/pull-samples.ts';
import { createJobRunner } from '../../../operator/training/head-job.ts';
import { trainHeads } from '../../../operator/training/train.ts';
import { createRandom } from '../../../server/core/random.ts';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
import type { TestModel } from '../../support/onnx-models/graph-writer.ts';
import { modelFile } from '../../support/onnx-models/model-file.ts';
import { digestOf } from '../../support/test-server.ts';

/** Generous: a few hundred rows of a random network have to do. */
export const BUDGET = 0.2;
export const CONFIDENCE = 0.95;

export interface ServedModel {
  readonly state: ServerState;
  readonly server: ServerProcess;
  /** Sends `count` rows from this number on as one request. */
  readonly ask: (from: number, count: number, mode?: InferMode) => Promise<InferAnswer>;
  readonly apply: (policy: Policy) => Promise<Acknowledgement>;
  /** Windows since the last call, the open ones closed first. */
  readonly evidence: () => Promise<readonly EvidenceWindow[]>;
  stop(): Promise<void>;
}

export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.value;
}

export async function serveModel(model: TestModel, seed: number): Promise<ServedModel> {
  const file = await modelFile(model);
  const server = await startServer({
    bundleDir: `${process.cwd()}/dist/bundle`,
    podUid: 'pod-1',
    modelName: 'net',
    backbonePath: file.path,
    backboneDigest: digestOf(model.bytes),
    outputName: null,
    engine: 'Auto',
    engineThreads: 1,
    loneThreads: null,
    port: 0,
    startupDeadlineMs: 30_000,
    environment: { PATH: process.env.PATH ?? '' },
    onChild: () => undefined,
  });
  const state = valueOf(await pullState(server.admin));
  const client = createInferClient({
    dataUrls: () => [server.dataUrl],
    modelName: 'net',
    codec: createInferCodec(
      createRowEncoder(
        memorySource(
          { name: 'seeded rows', rowShape: model.rowDims, element: 'f4', labels: null },
          Buffer.alloc(0),
        ),
        state.backbone.inputs,
        {},
      ),
      answerOutputOf(state.backbone, file.path),
    ),
    clock: systemClock,
    timeoutMs: 30_000,
    sourceHeader: null,
  });
  const rowOf = clusteredRows(model.rowDims, seed);
  let after = 0;
  return {
    state,
    server,
    ask: async (from, count, mode = 'auto') => {
      const rows = Array.from({ length: count }, (_, i) => rowOf(from + i));
      const outcome = await client.infer(rows, mode);
      if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.message}`);
      return outcome.answer;
    },
    apply: async (policy) => valueOf(await pushPolicy(server.admin, policy)),
    evidence: async () => {
      const { answer, droppedWindows } = valueOf(await pullEvidence(server.admin, after, true));
      if (droppedWindows.length > 0) throw new Error(JSON.stringify(droppedWindows));
      after = answer.newestSeq;
      return answer.windows;
    },
    stop: async () => {
      client.close();
      await stopServer(server);
      await file.remove();
    },
  };
}

const PROTOTYPES = 12;
const NOISE_VALUES = 4_096;

/** Rows around twelve patterns of their own strength, so that a random network gives them several classes; row i is always the same. */
function clusteredRows(rowDims: readonly number[], seed: number): (index: number) => Buffer {
  const [channels = 1, height = 1, width = 1] = rowDims;
  const random = createRandom(seed);
  const prototypes = Array.from({ length: PROTOTYPES }, () => {
    const values = new Float32Array(channels * height * width);
    for (let channel = 0; channel < channels; channel++) {
      const [level, wave, down, across] = Array.from({ length: 4 }, () => 2 * random.normal());
      for (let i = 0; i < height * width; i++) {
        const [y, x] = [Math.floor(i / width) / height, (i % width) / width];
        values[channel * height * width + i] =
          level! + wave! * Math.cos(2 * Math.PI * (down! * y + across! * x));
      }
    }
    return values;
  });
  const noise = Float32Array.from({ length: NOISE_VALUES }, () => 0.3 * random.normal());
  return (index) => {
    const draw = createRandom([seed, index]);
    const near = prototypes[draw.nextUint32() % PROTOTYPES]!;
    const far = prototypes[draw.nextUint32() % PROTOTYPES]!;
    const shift = draw.nextUint32() % NOISE_VALUES;
    // A third lies between two patterns: there heads and backbone differ now and then.
    const mixed = draw.uniform() < 0.33 ? 0.5 * draw.uniform() : 0;
    const row = near.map(
      (value, i) => (1 - mixed) * value + mixed * far[i]! + noise[(i * 7 + shift) % NOISE_VALUES]!,
    );
    return Buffer.from(row.buffer);
  };
}

/** What every policy of a server shares: all cuts are exits, every row is audited, nothing leaves. */
export function collecting({ state }: ServedModel): Policy {
  return {
    schemaVersion: 1,
    epoch: 1,
    revision: 1,
    model: state.model,
    backboneDigest: state.backbone.digest,
    exitsEnabled: false,
    budget: BUDGET,
    confidence: CONFIDENCE,
    exits: state.cuts.map(({ tensor }) => ({ name: tensor, tensor, mode: 'Active' })),
    stable: null,
    candidate: null,
    auditRate: 1,
    maxAgeSeconds: 3_600,
    limits: DEFAULT_LIMITS,
  };
}

/**
 * Heads from what the server sampled, by the trainer's own parts. Prices follow multiply-adds, and heads have no fixed part:
 * by measured ones a network of a tenth of a millisecond needs no exit, on one machine sooner than on another.
 */
export async function train({ server, state }: ServedModel): Promise<VerifiedBundle> {
  const job = { servers: [server.admin.baseUrl], part: 'long' as const, after: [] };
  const { batches } = valueOf(await pullSamples(job, () => undefined));
  const outcome = await trainHeads(
    {
      batches,
      costs: pricesByWork(state),
      headCost: { fixedMs: 0, msPerMillionMacs: 5 },
      plainBatch: 1,
      backboneDigest: state.backbone.digest,
      classCount: state.backbone.classCount,
      settings: {
        budget: BUDGET,
        maxActiveExits: 2,
        minSaving: 0,
        maxOverhead: 1,
        maxBundleBytes: 900 * 1024,
      },
      seed: 1,
      trainerVersion: 'test',
      parent: null,
      onProgress: () => undefined,
    },
    createJobRunner(createOnnxTrainer),
  );
  if (outcome.kind !== 'Trained') throw new Error(outcome.message);
  return valueOf(verifyBundle(outcome.bytes, digestOf(outcome.bytes)));
}

function pricesByWork({ cuts }: ServerState): CostTable {
  const plainMs = 10;
  const ends = [...cuts.map(({ macsShare }) => macsShare), 1];
  return {
    batchSizes: [1],
    cuts: cuts.map(({ tensor }) => tensor),
    plainMs: [plainMs],
    segmentMs: [ends.map((end, i) => plainMs * (end - (ends[i - 1] ?? 0)))],
    headMs: [cuts.map(() => 0)],
    compactMs: [cuts.map(() => 0)],
  };
}
