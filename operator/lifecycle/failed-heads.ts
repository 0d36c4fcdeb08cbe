// Head revisions that are not tried again: their digests are remembered (exits.md 8.2, api.md 9).
import type { Ledger } from './ledger.ts';

const MAX_FAILED = 10;

/** The failed revisions with one more; the last ten are kept. */
export function addFailed(
  failed: Ledger['failed'],
  more: Ledger['failed'][number],
): Ledger['failed'] {
  const others = failed.filter((known) => known.headRevision !== more.headRevision);
  return [...others, more].slice(-MAX_FAILED);
}

/** Whether these heads failed before. */
export function hasFailed({ failed }: Ledger, headRevision: string): boolean {
  return failed.some((known) => known.headRevision === headRevision);
}
