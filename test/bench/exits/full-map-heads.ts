// Heads as SelfXit's released code builds them: the whole map of a stage of the backbone, flattened, into two dense layers that learn the
// backbone's distribution. Ours pool first. Hidden units are 256 where the release has 512: half the cost, in its favour.
import type { DenseShape, DenseWeights } from '../../../operator/training/dense-trainer.ts';
import { distill, type DistillSettings } from '../../../operator/training/distill.ts';
import { denseMacs } from '../../../server/core/head.ts';
import { FULL_TRAINING } from '../../../operator/training/settings.ts';
import { createOnnxTrainer } from '../../../operator/trainer/onnx-step.ts';
import type { FoundCut } from '../../../server/core/graph/find-cuts.ts';
import { OnnxRuntime } from '../../../server/engine/onnx/onnx-runtime.ts';
import type { Cache } from './cache.ts';
import type { RecordedCase } from './record-features.ts';
import { classesOf } from './rules/answers.ts';
import { inputBatches, openRows, type CaseRows, type ExitsCase } from './stream.ts';

/** What one head says of the serving rows. */
export interface FullMapHead {
  /** Index into the exits of the case. */
  readonly exit: number;
  readonly macs: number;
  /** [rows, classCount] */
  readonly logits: Float32Array;
}

const HIDDEN = 256;
const BATCH_ROWS = 64;
const SETTINGS: DistillSettings = {
  ...FULL_TRAINING,
  ...{ alpha: 1, temperature: 1, epochs: 10, patience: 10, batchRows: 128 },
  ...{ learningRate: 1e-3, finalLearningRate: 1e-5 },
  ...{ inputDropout: 0, mixup: 0, averaging: 0, keeps: 'Best' },
};
const VALIDATION_SHARE = 0.2;

/** Heads on the last exit of each stage: where channels change next. */
export function fullMapHeads(
  exitsCase: ExitsCase,
  recorded: RecordedCase,
  cache: Cache,
): Promise<readonly FullMapHead[]> {
  const { digest, backboneDigest, exits, classCount } = recorded;
  return cache('full-map-heads', { digest, backboneDigest, HIDDEN, SETTINGS }, async () => {
    const rows = await openRows(exitsCase, classCount);
    try {
      const heads: FullMapHead[] = [];
      for (const [exit, { channels }] of exits.entries()) {
        if (exits[exit + 1]?.channels === channels) continue;
        heads.push(await trainHead(exitsCase, { recorded, rows, exit }));
      }
      return heads;
    } finally {
      rows.close();
    }
  });
}

async function trainHead(
  exitsCase: ExitsCase,
  of: { readonly recorded: RecordedCase; readonly rows: CaseRows; readonly exit: number },
): Promise<FullMapHead> {
  const { recorded, rows, exit } = of;
  const { classCount, training, serving } = recorded;
  const maps = await openMaps(exitsCase.modelPath, recorded.exits[exit]?.tensor ?? '');
  const shape: DenseShape = { featureCount: maps.size, hidden: HIDDEN, classCount };
  const x = new Float32Array(training.rowCount * maps.size);
  let done = 0;
  for (const map of maps.of(rows.training)) {
    x.set(map, done);
    done += map.length;
  }
  const scale = 1 / rootMeanSquare(x);
  for (let i = 0; i < x.length; i++) x[i]! *= scale;
  const weights = await learn(x, { shape, recorded, exit });
  const logits = new Float32Array(serving.rowCount * classCount);
  const trainer = await createOnnxTrainer(shape, weights, SETTINGS);
  let row = 0;
  for (const map of maps.of(rows.serving)) {
    const count = map.length / maps.size;
    const scaled = map.map((value) => value * scale);
    logits.set(await trainer.logits(weights, scaled, count), row * classCount);
    row += count;
  }
  await trainer.close();
  maps.close();
  return { exit, macs: denseMacs({ featureCount: maps.size, hidden: HIDDEN }, classCount), logits };
}

async function learn(
  x: Float32Array,
  of: { readonly shape: DenseShape; readonly recorded: RecordedCase; readonly exit: number },
): Promise<DenseWeights> {
  const { rowCount, logits } = of.recorded.training;
  const order = Uint32Array.from({ length: rowCount }, (_, row) => row);
  const cut = Math.round((1 - VALIDATION_SHARE) * rowCount);
  const { weights } = await distill(
    {
      ...{ shape: of.shape, x, teacher: logits, weight: new Float32Array(rowCount).fill(1) },
      teacherClass: Uint32Array.from(classesOf(logits, of.recorded.classCount)),
      ...{ trainingRows: order.slice(0, cut), validationRows: order.slice(cut) },
      ...{ budget: 0.01, seed: [1, of.exit] },
    },
    SETTINGS,
    createOnnxTrainer,
  );
  return weights;
}

interface Maps {
  /** Numbers of one row's map. */
  readonly size: number;
  /** Maps [rows, size] of planned rows, a batch at a time. */
  of(rows: CaseRows['training']): Generator<Float32Array, void>;
  close(): void;
}

async function openMaps(modelPath: string, tensor: string): Promise<Maps> {
  const runtime = new OnnxRuntime();
  const { search, description } = await runtime.open({
    path: modelPath,
    outputName: null,
    digest: null,
  });
  const cut = search.cuts.find((one) => one.tensor === tensor);
  if (cut === undefined) throw new RangeError(`the backbone has no cut ${tensor}`);
  const segment = runtime.build(null, { cut, pools: [] });
  return {
    size: sizeOf(cut),
    *of(rows) {
      for (const batch of inputBatches(rows, description, { modelPath, batchRows: BATCH_ROWS })) {
        const { value } = segment.run(runtime.upload(batch.input, batch.rows), []);
        yield value.memory ?? new Float32Array();
        runtime.free(value);
      }
    },
    close: () => {
      segment.release();
      runtime.close();
    },
  };
}

function sizeOf({ rowDims }: FoundCut): number {
  return rowDims.reduce((product, size) => product * size, 1);
}

function rootMeanSquare(values: Float32Array): number {
  const squares = values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares / Math.max(1, values.length)) || 1;
}
