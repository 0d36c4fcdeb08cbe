import type { MoreTraffic, StageProgress } from '../lifecycle/types.ts';

/** Why there is no certificate: where the run stood when its rows ended, how many more it takes, and how long they take. */
export function explainMissing(progress: StageProgress | null, more: MoreTraffic | null): string {
  if (progress === null) return 'The run ended before the first decision.';
  const where =
    progress.message === '' ? `The run ended while ${progress.stage}.` : progress.message;
  if (more === null) return where;
  // A look also wants enough blocks to judge by: with few rows these are what is missing.
  const next = more.requests > 0 ? more.message : BLOCKS;
  return `${where} ${next}`;
}

const BLOCKS =
  'A look also takes 20 blocks of at least 50 audited rows: 1,000 rows in all since the heads were loaded.';
