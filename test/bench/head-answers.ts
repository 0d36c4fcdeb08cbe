import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import { argmax, scoreFeatures, scoreRow } from '../../server/core/score.ts';
import { createOnnxEngine } from '../../server/engine/onnx/onnx-engine.ts';
import type {
  SegmentEngine,
  SegmentPlan,
  PreparedHead,
} from '../../server/engine/segment-engine.ts';

/** What every head says about one row, and whether the backbone agrees. */
export interface ExitAnswer {
  readonly agrees: boolean;
  /** Calibrated score q, largest softmax probability, and entropy / ln C. */
  readonly score: number;
  readonly maxProbability: number;
  readonly entropy: number;
}

/** Runs rows through the backbone and all heads of a bundle. @returns [rows][exits] */
export async function answerRows(
  modelPath: string,
  bundle: HeadBundle,
  rows: readonly Float32Array[],
): Promise<ExitAnswer[][]> {
  const engine = createOnnxEngine();
  await engine.open({ path: modelPath, outputName: null, digest: bundle.backboneDigest });
  const plan = await engine.plan(
    bundle.heads.map((head) => ({
      tensor: head.tensor ?? '',
      heads: [{ pool: head.pool, hidden: head.hidden, featureCount: head.featureCount }],
      samplePool: null,
    })),
  );
  const heads = bundle.heads.map((head) => engine.prepareHead(head));
  const answers: ExitAnswer[][] = [];
  for (let first = 0; first < rows.length; first += BATCH) {
    answers.push(
      ...(await answerBatch({ engine, plan, heads }, bundle, rows.slice(first, first + BATCH))),
    );
  }
  await engine.close();
  return answers;
}

const BATCH = 32;

interface Opened {
  readonly engine: SegmentEngine;
  readonly plan: SegmentPlan;
  readonly heads: readonly PreparedHead[];
}

async function answerBatch(
  { engine, plan, heads }: Opened,
  bundle: HeadBundle,
  rows: readonly Float32Array[],
): Promise<ExitAnswer[][]> {
  const size = rows[0]?.length ?? 0;
  const input = new Float32Array(rows.length * size);
  rows.forEach((row, index) => {
    input.set(row, index * size);
  });
  let activation = engine.upload(input, rows.length);
  const logits: Float32Array[] = [];
  for (const [index, head] of heads.entries()) {
    const result = await engine.run(plan, index, activation, { heads: [head], pooled: false });
    activation = result.activation;
    logits.push(result.logits[0] ?? new Float32Array());
  }
  const [backbone = new Float32Array()] = await engine.output(plan, activation);
  const { classCount } = bundle;
  return rows.map((_, row) => {
    const offset = row * classCount;
    const backboneClass = argmax(backbone, offset, classCount);
    return bundle.heads.map((head, exit) => {
      const z = logits[exit] ?? new Float32Array();
      const { logitMax, entropy } = scoreFeatures(z, offset, classCount);
      return {
        agrees: argmax(z, offset, classCount) === backboneClass,
        score: scoreRow(z, offset, classCount, head.score),
        maxProbability: 1 / (1 + Math.exp(-logitMax)),
        entropy,
      };
    });
  });
}
