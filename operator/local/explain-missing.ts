import type { StageProgress } from '../lifecycle/types.ts';
import { grouped, seconds } from './view/format.ts';

/** Why there is no certificate yet: what the stage waits for, how many more rows, and how long that is at the pace so far. */
export function explainMissing(progress: StageProgress | null, rowsPerSecond: number): string {
  if (progress === null) return 'The run ended before the first decision.';
  const message =
    progress.message === '' ? `The run ended while ${progress.stage}.` : progress.message;
  const missing = progress.wantedRows === null ? 0 : progress.wantedRows - progress.rows;
  if (missing <= 0) return message;
  const pace =
    rowsPerSecond > 0
      ? `, about ${seconds((missing / rowsPerSecond) * 1000)} at the pace of this run`
      : '';
  return `${message} It takes ${grouped(missing)} more distinct rows${pace}.`;
}
