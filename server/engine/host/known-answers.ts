// A bundle's known answers, run through the engine's real heads and compared with the definition and with the bundle.
import type { KnownAnswer } from '../../../crds/wire/acknowledgement.ts';
import type { BundleHead, BundleKnownAnswers } from '../../../crds/wire/head-bundle.ts';
import {
  answersOfLogits,
  definedAnswers,
  KNOWN_ANSWER_ROWS,
  knownAnswerFeatures,
} from '../../core/known-answer.ts';
import type { PlannedTrack } from '../engine-client.ts';
import { EngineError } from '../engine-error.ts';
import type { PreparedHead, SegmentEngine } from '../segment-engine.ts';

/** In the logit of q (exits.md 4.7). */
const TOLERANCE = 1e-3;

/** Classes that the engine's heads give. Throws EngineError KnownAnswerMismatch. */
export async function checkKnownAnswers(
  engine: SegmentEngine,
  { headRevision, bundle }: PlannedTrack,
  heads: readonly PreparedHead[],
): Promise<KnownAnswer> {
  const classes: (readonly number[])[] = [];
  for (const prepared of heads) {
    const { exit, modelDigest, knownAnswers: stored } = prepared.head;
    const defined = definedAnswers(prepared.head, bundle.classCount);
    // A companion's own model is known by its digest; what the bundle adds is the score of its logits.
    const answers =
      modelDigest === null ? await engineAnswers(engine, prepared, bundle.classCount) : defined;
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

async function engineAnswers(
  engine: SegmentEngine,
  prepared: PreparedHead,
  classCount: number,
): Promise<BundleKnownAnswers> {
  const head: BundleHead = prepared.head;
  const { seed } = head.knownAnswers;
  const features = knownAnswerFeatures(head, seed);
  const logits = await engine.runHead(prepared, features, KNOWN_ANSWER_ROWS);
  return answersOfLogits(logits, classCount, { seed, score: head.score });
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
