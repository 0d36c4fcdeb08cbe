import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import { definedAnswers } from '../../../server/core/known-answer.ts';
import type { Rendered } from '../output/output-format.ts';
import { renderColumns, renderFields } from '../output/render-columns.ts';
import { countText } from '../output/words.ts';
import type { OpenedBundle } from './read-bundle.ts';

export interface VerifiedHead {
  readonly exit: string;
  readonly tensor: string | null;
  readonly modelDigest: string | null;
  readonly pool: number;
  readonly hidden: number;
  readonly features: number;
  readonly weights: string;
  /** Of 16 rows, those whose class this program computes otherwise. */
  readonly wrongClasses: number;
  /** Largest difference of the score's logit. */
  readonly scoreError: number;
  readonly isSound: boolean;
}

export interface Verification extends Rendered {
  readonly isSound: boolean;
}

/** The bound of servers for the same comparison (exits.md 4.7). */
const SCORE_ERROR = 1e-3;

/** Digest, shapes and known answers, as a server looks at them before a head may serve. */
export function verifyBundle(opened: OpenedBundle): Verification {
  const { where, digest, sizeBytes, bundle, claimedDigest } = opened;
  const heads = bundle.heads.map((head) => verifyHead(head, bundle.classCount));
  const isDigestRight = claimedDigest === null || claimedDigest === digest;
  const isSound = isDigestRight && heads.every((head) => head.isSound);
  const { trainerVersion, trainingRows, validationRows, validationDisagreements } = bundle.training;
  return {
    isSound,
    document: {
      kind: 'HeadBundle',
      where,
      digest,
      claimedDigest,
      sizeBytes,
      isSound,
      backboneDigest: bundle.backboneDigest,
      classCount: bundle.classCount,
      training: bundle.training,
      heads,
    },
    table: () => [
      ...renderFields([
        ['Bundle', `${where}, ${countText(sizeBytes)} bytes`],
        ['Digest', isDigestRight ? digest : `${digest}, and should be ${claimedDigest}`],
        ['Backbone', `${bundle.backboneDigest}, ${countText(bundle.classCount)} classes`],
        [
          'Training',
          `by ${trainerVersion} on ${countText(trainingRows)} rows; ${countText(validationDisagreements)} of ${countText(validationRows)} others disagree`,
        ],
      ]),
      '',
      ...renderColumns(
        ['EXIT', 'WHERE', 'POOL', 'HIDDEN', 'FEATURES', 'WEIGHTS', 'KNOWN ANSWERS'],
        heads.map((head) => [
          head.exit,
          head.tensor ?? head.modelDigest?.slice(0, 19),
          String(head.pool),
          String(head.hidden),
          countText(head.features),
          head.weights,
          head.isSound
            ? 'as they must be'
            : `${head.wrongClasses} classes differ, scores by ${head.scoreError.toPrecision(2)}`,
        ]),
        ['POOL', 'HIDDEN', 'FEATURES'],
      ),
      '',
      isSound ? 'The bundle is sound.' : 'The bundle is not sound: no server would take it.',
    ],
    names: [`bundle/${digest}`],
  };
}

function verifyHead(head: BundleHead, classCount: number): VerifiedHead {
  const { exit, tensor, modelDigest, pool, hidden, featureCount, w1, knownAnswers } = head;
  const computed = definedAnswers(head, classCount);
  const wrongClasses = computed.classes.filter(
    (answer, row) => answer !== knownAnswers.classes[row],
  ).length;
  const scoreError = Math.max(
    ...computed.scoreLogits.map((logit, row) =>
      Math.abs(logit - (knownAnswers.scoreLogits[row] ?? NaN)),
    ),
  );
  return {
    exit,
    tensor,
    modelDigest,
    pool,
    hidden,
    features: featureCount,
    weights: w1?.type ?? 'none',
    wrongClasses,
    scoreError,
    isSound: wrongClasses === 0 && scoreError <= SCORE_ERROR,
  };
}
