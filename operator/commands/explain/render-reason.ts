import { REASON_PAGES } from '../../../crds/generate/reason-pages/reason-pages.ts';
import { REASONS, type Reason } from '../../../crds/v1alpha1/reasons.ts';
import type { Rendered } from '../output/output-format.ts';
import { renderFields } from '../output/render-columns.ts';

/** The reason of that name, letter case aside; null: there is none. */
export function findReason(name: string): Reason | null {
  const names = Object.keys(REASONS) as Reason[];
  return names.find((reason) => reason.toLowerCase() === name.toLowerCase()) ?? null;
}

export function reasonNames(): readonly string[] {
  return Object.keys(REASONS);
}

/** The page of a reason. */
export function renderReason(reason: Reason): Rendered {
  const { meaning, action } = REASONS[reason];
  const { seen, check } = REASON_PAGES[reason];
  const fix = action === '' ? 'Nothing to do.' : action;
  const fields = [
    ['Seen as', seen.join(', ')],
    ['Means', meaning],
    ['Check', check.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')],
    ['Fix', fix],
  ] as const;
  return {
    document: { kind: 'Reason', reason, seen, meaning, check, fix },
    table: () => [reason, '', ...renderFields(fields, 100)],
    names: [`reason/${reason}`],
  };
}
