import type { ScoreCoefficients } from '../../../../crds/wire/head-bundle.ts';
import { argmax, scoreFeatures, scoreLogit } from '../../../../server/core/score.ts';

/** What one head says of every row. */
export interface HeadAnswers {
  readonly classes: Uint16Array;
  /** 1 where it names the backbone's class. */
  readonly agrees: Uint8Array;
  /** 1 where it names the row's label; null: labels are unknown. */
  readonly isRight: Uint8Array | null;
  /** Ranks like the largest softmax probability, without its rounding to 1. */
  readonly logitMax: Float64Array;
  /** Of the softmax, as a share of ln(classes). */
  readonly entropy: Float64Array;
  /** Ranks like the calibrated score. */
  readonly score: Float64Array;
}

/** All rows of a comparison, by exit on the way. */
export interface Answers {
  readonly rowCount: number;
  readonly exits: readonly HeadAnswers[];
  /** 1 where the backbone names the row's label; null: unknown. */
  readonly backboneIsRight: Uint8Array | null;
  /** [exits + 1] multiply-adds to each exit with all heads on the way, and to the end: shares of the backbone. */
  readonly path: readonly number[];
}

/** @param logits [rows, classCount] of one head. */
export function toHeadAnswers(
  logits: Float32Array,
  of: {
    readonly classCount: number;
    readonly backboneClasses: ArrayLike<number>;
    readonly labels: ArrayLike<number> | null;
    readonly score: ScoreCoefficients;
  },
): HeadAnswers {
  const { classCount, backboneClasses, labels, score } = of;
  const rows = logits.length / classCount;
  const classes = classesOf(logits, classCount);
  const features = Array.from({ length: rows }, (_, row) =>
    scoreFeatures(logits, row * classCount, classCount),
  );
  return {
    classes,
    agrees: matches(classes, backboneClasses),
    isRight: labels === null ? null : matches(classes, labels),
    logitMax: Float64Array.from(features, ({ logitMax }) => logitMax),
    entropy: Float64Array.from(features, ({ entropy }) => entropy),
    score: Float64Array.from(features, (_, row) =>
      scoreLogit(logits, row * classCount, classCount, score),
    ),
  };
}

/**
 * What the ways of `Answers.path` take, every head on the way charged.
 * @param exits share of the backbone's multiply-adds up to each cut, and what is added there.
 * @param macs of the backbone.
 */
export function pathTo(
  exits: readonly { readonly macsShare: number; readonly addedMacs: number }[],
  macs: number,
): number[] {
  let added = 0;
  const ends = exits.map(({ macsShare, addedMacs }) => {
    added += addedMacs / macs;
    return macsShare + added;
  });
  return [...ends, 1 + added];
}

export function classesOf(logits: Float32Array, classCount: number): Uint16Array {
  return Uint16Array.from({ length: logits.length / classCount }, (_, row) =>
    argmax(logits, row * classCount, classCount),
  );
}

/** 1 where two lists name the same class. */
export function matches(classes: Uint16Array, others: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(classes, (found, row) => (found === others[row]! ? 1 : 0));
}
