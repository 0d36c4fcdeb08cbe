import type { Report } from './report-schema.ts';

/** The exit that answers with earlier frames, and the header that names their source; null: there is none. */
export function reportedComparison({
  exits,
}: Pick<Report, 'exits'>): { readonly name: string; readonly sourceHeader: string } | null {
  for (const { name, sourceHeader } of exits) {
    if (sourceHeader !== undefined) return { name, sourceHeader };
  }
  return null;
}
