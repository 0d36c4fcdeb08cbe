import type { Decision, MoreTraffic, StageProgress } from '../lifecycle/types.ts';

/** Decisions that explain by themselves why there is no certificate. */
const VERDICTS: readonly Decision['reason'][] = [
  'NotBetter',
  'TooFewRows',
  'TrainingFailed',
  'NotCertified',
  'NotWorthwhile',
  'RolloutAborted',
  'NoExits',
];

/** The last decision that says why there are no exits; null: there is none, or a later certificate took its place. */
export function lastVerdict(decisions: readonly Decision[]): Decision | null {
  const last = decisions.findLast(
    ({ reason }) => VERDICTS.includes(reason) || reason === 'RolloutPromoted',
  );
  return last === undefined || last.reason === 'RolloutPromoted' ? null : last;
}

const BLOCKS =
  'A look also takes 20 blocks of at least 50 audited rows: 1,000 rows in all since the heads were loaded.';

/**
 * Why there is no certificate: the last verdict, where the run stood when its rows ended, how many more it takes, and how
 * long they take.
 */
export function explainMissing(
  progress: StageProgress | null,
  more: MoreTraffic | null,
  decisions: readonly Decision[],
): string {
  if (progress === null) return 'The run ended before the first decision.';
  const verdict = decisions.findLast(({ reason }) => VERDICTS.includes(reason))?.message;
  const where =
    progress.message === '' ? `The run ended while ${progress.stage}.` : progress.message;
  return [verdict, where, more === null ? undefined : estimate(more)]
    .filter((text) => text !== undefined)
    .join(' ');
}

/** A look also wants enough blocks to judge by: with few rows these are what is missing. */
function estimate(more: MoreTraffic): string {
  return more.requests > 0 ? more.message : BLOCKS;
}
