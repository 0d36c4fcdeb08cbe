/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
// Synthetic rows with known answers (exits.md 4.7): made from a seed, never from traffic, so a bundle can say what its heads
// must answer and a server or the operator can repeat it.
import type {
  BundleHead,
  BundleKnownAnswers,
  ScoreCoefficients,
} from '../../crds/wire/head-bundle.ts';
import { runHead, toHeadWeights, type HeadWeights } from './head.ts';
import { createRandom } from './random.ts';
import { argmax, scoreLogit } from './score.ts';

/** Rows per head. */
export const KNOWN_ANSWER_ROWS = 16;

/** Synthetic standardised vectors [16, featureCount], standard normal; for a companion, its synthetic logits. */
export function knownAnswerRows(seed: number, featureCount: number): Float32Array {
  const random = createRandom([seed, featureCount]);
  const rows = new Float32Array(KNOWN_ANSWER_ROWS * featureCount);
  for (let index = 0; index < rows.length; index++) rows[index] = random.normal();
  return rows;
}

/** A head's own rows: features [16, featureCount] and, by definition, logits [16, classCount]. */
export interface KnownRows {
  readonly features: Float32Array;
  readonly logits: Float32Array;
}

/**
 * The same rows as features of this head, mean + scale * x, so that the head's own standardisation gives x back, and what it makes of
 * them. Each step is one row: a wide head takes milliseconds, and who serves has other work in between.
 */
export function* knownRowsInSteps(
  head: HeadWeights,
  seed: number,
): Generator<undefined, KnownRows, undefined> {
  const { featureCount, classCount, mean, scale } = head;
  const random = createRandom([seed, featureCount]);
  const features = new Float32Array(KNOWN_ANSWER_ROWS * featureCount);
  const logits = new Float32Array(KNOWN_ANSWER_ROWS * classCount);
  for (let row = 0; row < KNOWN_ANSWER_ROWS; row++) {
    const own = features.subarray(row * featureCount, (row + 1) * featureCount);
    for (let feature = 0; feature < featureCount; feature++) {
      own[feature] = mean[feature]! + scale[feature]! * Math.fround(random.normal());
    }
    logits.set(runHead(head, own, 1), row * classCount);
    yield;
  }
  return { features, logits };
}

/** All steps at once. */
export function knownRows(head: HeadWeights, seed: number): KnownRows {
  const steps = knownRowsInSteps(head, seed);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** What the head answers on its rows: class and logit of the score, each of length 16. The bundle stores it, others compare. */
export function answerKnownRows(
  head: HeadWeights,
  score: ScoreCoefficients,
  seed: number,
): BundleKnownAnswers {
  return answersOfLogits(knownRows(head, seed).logits, head.classCount, { seed, score });
}

/** The same for logits that something else computed: an engine's own head, or a companion's synthetic logits. */
export function answersOfLogits(
  logits: Float32Array,
  classCount: number,
  { seed, score }: { readonly seed: number; readonly score: ScoreCoefficients },
): BundleKnownAnswers {
  const offsets = Array.from({ length: KNOWN_ANSWER_ROWS }, (_, row) => row * classCount);
  return {
    seed,
    classes: offsets.map((offset) => argmax(logits, offset, classCount)),
    scoreLogits: offsets.map((offset) => scoreLogit(logits, offset, classCount, score)),
  };
}

/** By definition, on the rows of its own seed: what a head answers, or what a companion's score says of synthetic logits. */
export function definedAnswers(head: BundleHead, classCount: number): BundleKnownAnswers {
  const { modelDigest, score, knownAnswers } = head;
  const { seed } = knownAnswers;
  if (modelDigest === null) return answerKnownRows(toHeadWeights(head, classCount), score, seed);
  return answersOfLogits(knownAnswerRows(seed, classCount), classCount, { seed, score });
}

/** Whether two lists of answers, [exit][row], are the same: as many exits, and on each row of each the same class. */
export function areSameAnswers(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): boolean {
  return (
    a.length === b.length &&
    a.every((classes, exit) => {
      const others = b[exit]!;
      return classes.length === others.length && classes.every((one, row) => one === others[row]);
    })
  );
}
