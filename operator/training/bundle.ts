import type {
  BundleHead,
  HeadBundle,
  HeadProvenance,
  ScoreCoefficients,
} from '../../crds/wire/head-bundle.ts';
import { toHeadWeights } from '../../server/core/head.ts';
import { answerKnownRows } from '../../server/core/known-answer.ts';
import type { TrainedHead } from './head-job.ts';

/** A trained head with its score and temperature, ready to be written. */
export interface FittedHead {
  readonly head: TrainedHead;
  readonly tensor: string;
  readonly score: ScoreCoefficients;
  readonly temperature: number;
  readonly auroc: number;
}

/**
 * Assembles a bundle (exits.md 4.7). Known-answer rows are drawn from a seed of their own per bundle and exit, so heads of
 * another revision left in a server answer them differently.
 */
export function assembleBundle(
  heads: readonly FittedHead[],
  backbone: { readonly backboneDigest: string; readonly classCount: number },
  training: HeadProvenance,
): HeadBundle {
  const { backboneDigest, classCount } = backbone;
  const answersSeed = Number.parseInt(training.sampleDigest.slice(-7), 16);
  return {
    schemaVersion: 1,
    backboneDigest,
    classCount,
    heads: heads.map((fitted, i) => withAnswers(toBundleHead(fitted), classCount, answersSeed + i)),
    training,
  };
}

function toBundleHead({ head, tensor, score, temperature }: FittedHead): BundleHead {
  const { exit, pool, hidden, featureCount, mean, scale, weights } = head;
  return {
    exit,
    tensor,
    modelDigest: null,
    pool,
    hidden,
    featureCount,
    mean,
    scale,
    ...weights,
    score,
    temperature,
    knownAnswers: { seed: 0, classes: [], scoreLogits: [] },
  };
}

function withAnswers(head: BundleHead, classCount: number, seed: number): BundleHead {
  const weights = toHeadWeights(head, classCount);
  return { ...head, knownAnswers: answerKnownRows(weights, head.score, seed) };
}
