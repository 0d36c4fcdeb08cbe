import { encodeHalf } from '../../../crds/wire/half-float.ts';
import type { SampleBatch, SampleExit } from '../../../crds/wire/samples.ts';
import { discoverExits } from '../../../operator/plan/discover-exits.ts';
import { argmax, calibratedOutput } from '../../../server/core/score.ts';
import { createOnnxEngine } from '../../../server/engine/onnx/onnx-engine.ts';
import type {
  ModelDescription,
  SegmentEngine,
  SegmentPlan,
} from '../../../server/engine/segment-engine.ts';
import type { Cache } from './cache.ts';
import { inputBatches, openRows, type CaseRows, type ExitsCase } from './stream.ts';

/** What the backbone computes on some rows: features as servers record them, and its answers. */
export interface Recorded {
  readonly rowCount: number;
  /** Per exit: fp16 bits [rows, featureCount] at the finest pool. */
  readonly features: readonly Uint16Array[];
  /** [rows, classCount] */
  readonly logits: Float32Array;
}

/** A case with everything that rules and heads are compared on. */
export interface RecordedCase {
  readonly name: string;
  readonly digest: string;
  readonly backboneDigest: string;
  readonly macs: number;
  readonly classCount: number;
  /** In backbone order, chosen as a service without a list of exits chooses them. */
  readonly exits: readonly SampleExit[];
  /** [exits] share of the backbone's multiply-adds up to the cut. */
  readonly macsShare: readonly number[];
  readonly training: Recorded;
  readonly serving: Recorded;
  /** Of the serving rows; null: unknown. */
  readonly labels: Int32Array | null;
  /** The first serving row as the backbone takes it. */
  readonly firstInput: Float32Array;
}

const BATCH_ROWS = 32;

/** Runs the backbone once over all rows of a case, or reads what an earlier run kept. */
export async function recordCase(exitsCase: ExitsCase, cache: Cache): Promise<RecordedCase> {
  const engine = createOnnxEngine();
  try {
    const model = await engine.open({
      path: exitsCase.modelPath,
      outputName: null,
      digest: null,
    });
    const rows = await openRows(exitsCase, model.classCount);
    try {
      const key = { backbone: model.digest, rows: rows.digest };
      return await cache('features', key, () => record(exitsCase, { engine, model, rows }));
    } finally {
      rows.close();
    }
  } finally {
    await engine.close();
  }
}

interface Opened {
  readonly engine: SegmentEngine;
  readonly model: ModelDescription;
  readonly rows: CaseRows;
}

async function record(exitsCase: ExitsCase, opened: Opened): Promise<RecordedCase> {
  const { engine, model, rows } = opened;
  // Cost shares stand for times, which are measured where heads are served.
  const cuts = model.cuts.map((cut) => ({ ...cut, msShare: cut.macsShare }));
  const chosen = discoverExits(cuts).flatMap(({ name, tensor }) => {
    const cut = cuts.find((one) => one.tensor === tensor);
    return cut === undefined ? [] : [{ name, cut }];
  });
  const exits = chosen.map(({ name, cut }): SampleExit => {
    const { tensor, pool, channels, height, width } = cut;
    const featureCount = pool * pool * channels;
    return { name, tensor, modelDigest: null, pool, channels, height, width, featureCount };
  });
  const plan = await engine.plan(
    chosen.map(({ cut }) => ({ tensor: cut.tensor, heads: [], samplePool: cut.pool })),
  );
  const run = (part: CaseRows['training']): Promise<Recorded> =>
    recordRows(part, { ...opened, plan, exits, modelPath: exitsCase.modelPath });
  return {
    name: exitsCase.name,
    digest: rows.digest,
    backboneDigest: model.digest,
    macs: model.macs,
    classCount: model.classCount,
    exits,
    macsShare: chosen.map(({ cut }) => cut.macsShare),
    training: await run(rows.training),
    serving: await run(rows.serving),
    labels: rows.labels,
    firstInput: firstInput(rows, model, exitsCase.modelPath),
  };
}

function firstInput(
  { serving }: CaseRows,
  model: ModelDescription,
  modelPath: string,
): Float32Array {
  const [batch] = inputBatches(serving.slice(0, 1), model, { modelPath, batchRows: 1 });
  return batch?.input ?? new Float32Array();
}

async function recordRows(
  rows: CaseRows['training'],
  of: Opened & {
    readonly plan: SegmentPlan;
    readonly exits: readonly SampleExit[];
    readonly modelPath: string;
  },
): Promise<Recorded> {
  const { engine, model, plan, exits, modelPath } = of;
  const features = exits.map(({ featureCount }) => new Uint16Array(rows.length * featureCount));
  const logits = new Float32Array(rows.length * model.classCount);
  let done = 0;
  for (const batch of inputBatches(rows, model, { modelPath, batchRows: BATCH_ROWS })) {
    let activation = engine.upload(batch.input, batch.rows);
    for (const [index, { featureCount }] of exits.entries()) {
      const result = await engine.run(plan, index, activation, { heads: [], pooled: true });
      activation = result.activation;
      features[index]?.set(encodeHalf(result.pooled ?? new Float32Array()), done * featureCount);
    }
    const outputs = await engine.output(plan, activation);
    const at = model.outputs.findIndex(({ name }) => name === model.outputName);
    logits.set(outputs[at] ?? new Float32Array(), done * model.classCount);
    done += batch.rows;
  }
  return { rowCount: rows.length, features, logits };
}

/** The training rows as a server's recorder hands them to a trainer. */
export function toSampleBatch(recorded: RecordedCase): SampleBatch {
  const { backboneDigest, classCount, exits, training } = recorded;
  const { rowCount, features, logits } = training;
  const teacherLogProbabilities = new Float32Array(rowCount * classCount);
  const calibration = { temperature: 1, kind: 'LogProbabilities' } as const;
  const teacherClass = new Uint32Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const output = calibratedOutput(logits, row * classCount, classCount, calibration);
    teacherLogProbabilities.set(output, row * classCount);
    teacherClass[row] = argmax(output, 0, classCount);
  }
  return {
    ...{ schemaVersion: 1, podUid: 'bench', bootId: 'bench', part: 'long' },
    ...{ backboneDigest, classCount, topCount: classCount, exits },
    ...{ rowCount, rowsSeen: rowCount, nextAfter: rowCount },
    sequence: Float64Array.from({ length: rowCount }, (_, row) => row + 1),
    minute: new Uint32Array(rowCount),
    teacherClass,
    teacherTopClasses: new Uint32Array(0),
    teacherLogProbabilities,
    features,
  };
}
