import { toVerdict, type Verdict } from './verdict.ts';

/** Of a service without heads: nothing was certified. */
export function assessWithinBudget(): Verdict {
  return toVerdict(
    'Unknown',
    'NoCertificate',
    'No heads are certified, so no request leaves early',
  );
}

/** Of a service without heads: nothing rolls. */
export function assessRolloutSucceeded(): Verdict {
  return toVerdict('True', 'NoRollout', 'There is no candidate.');
}
