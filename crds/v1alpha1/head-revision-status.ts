import { z } from 'zod';

import { AGREEMENT_NAMES } from '../wire/agreement.ts';
import { LAMBDA_COUNT } from '../wire/lambda-grid.ts';
import { conditions } from './conditions.ts';
import { time, wholeNumber } from './fields.ts';
import { keepSoundFields } from './sound-fields.ts';
import { count, shownPercent } from './status-fields.ts';

/** What the operator reports about a CacheHeadRevision (api.md 3). */

const certificate = z
  .strictObject({
    lambda: shownPercent('Boldness that was certified: leave when the score is above 1 - lambda.'),
    lambdaIndex: wholeNumber(0, LAMBDA_COUNT - 1, {
      description: 'The same as an index of the fixed grid.',
    }),
    audits: count('Audited rows behind it.'),
    disagreements: count(
      'Of these, answers unlike the backbone; where agreement is F1 the sum of their losses in whole rows, rounded up.',
    ),
    agreement: z.enum(AGREEMENT_NAMES).optional().meta({
      description: 'What was bounded, as in accuracy.agreement; absent: Strict.',
    }),
    dispersion: shownPercent('Variance of the blocks against the binomial one.').optional(),
    attempt: count('Attempt that gave it.').optional(),
    look: count('Look of that attempt.').optional(),
    upperBound: shownPercent('Upper confidence bound of the disagreement, or of the F1 loss.'),
    budget: shownPercent('Budget that it was tested against.'),
    confidence: shownPercent('Confidence of the test.'),
    time: time('When it was given.'),
  })
  .optional()
  .meta({ description: 'Proof for this revision at one lambda; kept after it was voided.' });

export const headRevisionStatus = z
  .strictObject({
    observedGeneration: z.int().min(-1).max(Number.MAX_SAFE_INTEGER).optional().meta({
      description: 'Generation of the spec that this status is about; -1 before the first.',
    }),
    conditions,
    certificate,
  })
  .meta({ description: 'What the operator reports; written by it alone.' });

export type HeadRevisionStatus = z.infer<typeof headRevisionStatus>;

/** The status of an object, without the top-level fields that this version cannot read. Never throws. */
export function readHeadRevisionStatus(value: unknown): HeadRevisionStatus {
  return keepSoundFields(headRevisionStatus, value);
}
