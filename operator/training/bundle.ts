import type {
  BundleHead,
  HeadBundle,
  HeadProvenance,
  ScoreCoefficients,
} from '../../crds/wire/head-bundle.ts';
import type { Compared } from '../../crds/wire/previous-frame.ts';
import type { BundleStudent } from '../../crds/wire/student.ts';
import { definedAnswers } from '../../server/core/known-answer.ts';
import type { TrainedHead } from './head-job.ts';

/** A trained head with its score and temperature, ready to be written. */
export interface FittedHead {
  readonly head: TrainedHead;
  readonly tensor: string;
  readonly compares?: Compared;
  readonly score: ScoreCoefficients;
  readonly temperature: number;
  readonly auroc: number;
}

/** A companion with what is fitted of it: it has class scores of its own. */
export interface FittedCompanion {
  readonly exit: string;
  readonly modelDigest: string;
  /** Its weights, when the trainer made it. */
  readonly student?: BundleStudent;
  readonly score: ScoreCoefficients;
  readonly temperature: number;
  readonly auroc: number;
}

/**
 * Assembles a bundle (exits.md 4.7). Known-answer rows are drawn from a seed of their own per bundle and exit, so heads of
 * another revision left in a server answer them differently.
 */
export function assembleBundle(
  heads: readonly (FittedHead | FittedCompanion)[],
  backbone: { readonly backboneDigest: string; readonly classCount: number },
  training: HeadProvenance,
): HeadBundle {
  const { backboneDigest, classCount } = backbone;
  const answersSeed = Number.parseInt(training.sampleDigest.slice(-7), 16);
  return {
    schemaVersion: 1,
    backboneDigest,
    classCount,
    heads: heads.map((fitted, i) => {
      const head =
        'modelDigest' in fitted ? toBundleCompanion(fitted, classCount) : toBundleHead(fitted);
      return withAnswers(head, classCount, answersSeed + i);
    }),
    training,
  };
}

function toBundleHead({ head, tensor, compares, score, temperature }: FittedHead): BundleHead {
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
    ...(compares === undefined ? {} : { compares }),
    score,
    temperature,
    knownAnswers: { seed: 0, classes: [], scoreLogits: [] },
  };
}

function toBundleCompanion(
  { exit, modelDigest, student, score, temperature }: FittedCompanion,
  classCount: number,
): BundleHead {
  return {
    ...{ exit, tensor: null, modelDigest },
    ...{ pool: 1, hidden: 0, featureCount: classCount },
    ...{ mean: new Float32Array(0), scale: new Float32Array(0) },
    ...{ w1: null, b1: null, w2: null, b2: null },
    ...(student === undefined ? {} : { student }),
    ...{ score, temperature },
    knownAnswers: { seed: 0, classes: [], scoreLogits: [] },
  };
}

function withAnswers(head: BundleHead, classCount: number, seed: number): BundleHead {
  const seeded = { ...head, knownAnswers: { ...head.knownAnswers, seed } };
  return { ...head, knownAnswers: definedAnswers(seeded, classCount) };
}
