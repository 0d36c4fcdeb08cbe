// A bundle's known answers, run through the engine's real heads and compared with the definition and with the bundle.
import type { KnownAnswer } from '../../../crds/wire/acknowledgement.ts';
import type { BundleKnownAnswers } from '../../../crds/wire/head-bundle.ts';
import {
  answersOfLogits,
  definedAnswers,
  KNOWN_ANSWER_ROWS,
  knownRowsInSteps,
} from '../../core/known-answer.ts';
import { headWeights } from '../backbone/head-weights.ts';
import type { PlannedTrack } from '../engine-client.ts';
import { EngineError } from '../engine-error.ts';
import type { PreparedHead, SegmentEngine } from '../segment-engine.ts';

/** In the logit of q (exits.md 4.7). */
const TOLERANCE = 1e-3;

/**
 * Classes that the engine's heads give. Throws EngineError KnownAnswerMismatch.
 * @param yieldTurn called between the rows, so that batches come through
 */
export async function checkKnownAnswers(
  engine: SegmentEngine,
  { headRevision, bundle }: PlannedTrack,
  heads: readonly PreparedHead[],
  yieldTurn: () => Promise<void>,
): Promise<KnownAnswer> {
  const classes: (readonly number[])[] = [];
  for (const prepared of heads) {
    const { exit, knownAnswers: stored } = prepared.head;
    const { answers, defined } = await answersOf(engine, prepared, bundle.classCount, yieldTurn);
    for (const [what, expected] of [
      ['definition', defined],
      ['bundle', stored],
    ] as const) {
      if (isSame(answers, expected)) continue;
      throw new EngineError(
        'KnownAnswerMismatch',
        `exit ${exit} of head revision ${headRevision} gives other known answers than its ${what}; ` +
          'the bundle was made by an incompatible version or the engine computes wrongly: train again',
      );
    }
    classes.push(answers.classes);
  }
  return { headRevision, classes };
}

interface FoundAnswers {
  readonly answers: BundleKnownAnswers;
  readonly defined: BundleKnownAnswers;
}

async function answersOf(
  engine: SegmentEngine,
  prepared: PreparedHead,
  classCount: number,
  yieldTurn: () => Promise<void>,
): Promise<FoundAnswers> {
  const { head } = prepared;
  if (head.modelDigest !== null || head.compares !== undefined) {
    // A companion's own model is known by its digest; what the bundle adds is the score of its logits. Comparisons run as defined.
    const defined = definedAnswers(head, classCount);
    return { answers: defined, defined };
  }
  const { seed } = head.knownAnswers;
  const steps = knownRowsInSteps(headWeights(head, classCount), seed);
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) await yieldTurn();
  const { features, logits } = step.value;
  const own = await engine.runHead(prepared, features, KNOWN_ANSWER_ROWS);
  const toAnswers = (values: Float32Array): BundleKnownAnswers =>
    answersOfLogits(values, classCount, { seed, score: head.score });
  return { answers: toAnswers(own), defined: toAnswers(logits) };
}

function isSame(answers: BundleKnownAnswers, expected: BundleKnownAnswers): boolean {
  return answers.classes.every(
    (classId, row) =>
      classId === expected.classes[row] &&
      isClose(answers.scoreLogits[row] ?? NaN, expected.scoreLogits[row] ?? NaN),
  );
}

/** False for NaN. */
function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(b));
}
