import { encodeHalf } from '../../../crds/wire/half-float.ts';
import type {
  BundleHead,
  BundleMatrix,
  HeadBundle,
  HiddenSize,
  PoolSize,
} from '../../../crds/wire/head-bundle.ts';
import { toHeadWeights } from '../../../server/core/head.ts';
import {
  answerKnownRows,
  answersOfLogits,
  knownAnswerRows,
} from '../../../server/core/known-answer.ts';
import type { ModelDescription } from '../../../server/engine/segment-engine.ts';
import { seededRandom } from '../seeded-random.ts';

export interface HeadWish {
  readonly tensor: string;
  readonly featureCount: number;
  readonly pool: PoolSize;
  readonly hidden: HiddenSize;
  readonly classCount: number;
  readonly seed: number;
  /** Of the score: -50 never leaves, 50 always. */
  readonly intercept?: number;
}

/** A head of seeded random weights whose known answers are right. */
export function aHead(wish: HeadWish): BundleHead {
  const { tensor, featureCount, pool, hidden, classCount, seed, intercept = 0 } = wish;
  const random = seededRandom(seed);
  const matrix = (rows: number, columns: number): BundleMatrix => ({
    type: 'float16',
    rows,
    columns,
    values: encodeHalf(
      Float32Array.from({ length: rows * columns }, () => random.normal() / Math.sqrt(rows)),
    ),
  });
  const vector = (size: number, from: number, to: number): Float32Array =>
    Float32Array.from({ length: size }, () => from + random.uniform() * (to - from));
  const first = hidden === 0 ? classCount : hidden;
  const head: BundleHead = {
    exit: `exit-${tensor}`,
    tensor,
    modelDigest: null,
    pool,
    hidden,
    featureCount,
    mean: vector(featureCount, -0.5, 0.5),
    scale: vector(featureCount, 0.3, 1.5),
    w1: matrix(featureCount, first),
    b1: vector(first, -0.1, 0.1),
    w2: hidden === 0 ? null : matrix(hidden, classCount),
    b2: hidden === 0 ? null : vector(classCount, -0.1, 0.1),
    score: { features: ['logitMax'], mean: [0], scale: [1], weights: [1], intercept },
    temperature: 1.5,
    knownAnswers: { seed, classes: [], scoreLogits: [] },
  };
  return {
    ...head,
    knownAnswers: answerKnownRows(toHeadWeights(head, classCount), head.score, seed),
  };
}

/** What a bundle says of a companion: the score of its own scores. */
export function aCompanionHead(
  exit: string,
  { digest, classCount }: { readonly digest: string; readonly classCount: number },
  intercept: number,
): BundleHead {
  const score = { features: ['logitMax'] as const, mean: [0], scale: [1], weights: [1], intercept };
  const seed = 31;
  const logits = knownAnswerRows(seed, classCount);
  return {
    ...{ exit, tensor: null, modelDigest: digest },
    ...{ pool: 1, hidden: 0, featureCount: classCount },
    ...{ mean: new Float32Array(0), scale: new Float32Array(0) },
    ...{ w1: null, b1: null, w2: null, b2: null },
    score,
    temperature: 2,
    knownAnswers: answersOfLogits(logits, classCount, { seed, score }),
  };
}

/** Heads at the given cuts of a model, finest pools, 64 hidden. */
export function aBundle(
  model: ModelDescription,
  heads: readonly { readonly tensor: string; readonly intercept: number }[],
  seed = 9,
): HeadBundle {
  return {
    schemaVersion: 1,
    backboneDigest: model.digest,
    classCount: model.classCount,
    heads: heads.map(({ tensor, intercept }, index) => {
      const cut = model.cuts.find((candidate) => candidate.tensor === tensor)!;
      return aHead({
        tensor,
        featureCount: cut.pool * cut.pool * cut.channels,
        pool: cut.pool,
        hidden: 64,
        classCount: model.classCount,
        seed: seed + index,
        intercept,
      });
    }),
    training: {
      trainerVersion: 'test',
      seed,
      sampleDigest: `sha256:${'0'.repeat(64)}`,
      costDigest: `sha256:${'0'.repeat(64)}`,
      trainingRows: 0,
      validationRows: 0,
      validationDisagreements: 0,
      samplesUntil: [],
      exits: [],
      parent: null,
    },
  };
}
