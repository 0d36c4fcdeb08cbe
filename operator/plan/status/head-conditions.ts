import { toVerdict, type Verdict } from './verdict.ts';

/** Of a service whose heads, if it has any, are neither in force nor in a ramp. */
export function assessWithinBudget(): Verdict {
  return toVerdict('Unknown', 'NoCertificate', 'No heads are in force, so no request leaves early');
}

/** Of a service without heads: nothing rolls. */
export function assessRolloutSucceeded(): Verdict {
  return toVerdict('True', 'NoRollout', 'There is no candidate.');
}
