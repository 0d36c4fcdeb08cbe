import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import { createOnnxEngine } from '../../server/engine/onnx/onnx-engine.ts';
import { classesOf, toHeadAnswers, type Answers } from './exits/rules/answers.ts';
import { inputBatches, openRows, type ExitsCase } from './exits/stream.ts';

const BATCH = 32;

/**
 * Runs all rows of a case that trained no head through the backbone and the heads of a bundle.
 * @param path as of `Answers`.
 */
export async function answerRows(
  exitsCase: ExitsCase,
  bundle: HeadBundle,
  path: Answers['path'],
): Promise<Answers> {
  const { modelPath } = exitsCase;
  const { backboneDigest: digest, classCount } = bundle;
  const engine = createOnnxEngine();
  const opened = await openRows(exitsCase, classCount);
  try {
    const model = await engine.open({ path: modelPath, outputName: null, digest });
    const plan = await engine.plan(
      bundle.heads.map(({ tensor, pool, hidden, featureCount }) => ({
        tensor: tensor ?? '',
        heads: [{ pool, hidden, featureCount }],
        samplePool: null,
      })),
    );
    const heads = bundle.heads.map((head) => engine.prepareHead(head));
    const { serving } = opened;
    const rowCount = serving.length;
    const logits = heads.map(() => new Float32Array(rowCount * classCount));
    const backbone = new Float32Array(rowCount * classCount);
    let first = 0;
    for (const { input, rows } of inputBatches(serving, model, { modelPath, batchRows: BATCH })) {
      let activation = engine.upload(input, rows);
      for (const [exit, head] of heads.entries()) {
        const result = await engine.run(plan, exit, activation, { heads: [head], pooled: false });
        activation = result.activation;
        logits[exit]?.set(result.logits[0] ?? [], first * classCount);
      }
      const [output = new Float32Array()] = await engine.output(plan, activation);
      backbone.set(output, first * classCount);
      first += rows;
    }
    const backboneClasses = classesOf(backbone, classCount);
    const exits = bundle.heads.map(({ score }, exit) =>
      toHeadAnswers(logits[exit] ?? new Float32Array(), {
        ...{ classCount, backboneClasses, labels: null, score },
      }),
    );
    return { rowCount, exits, backboneIsRight: null, path };
  } finally {
    opened.close();
    await engine.close();
  }
}
