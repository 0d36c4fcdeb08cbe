import { REASON_PAGES } from '../../../crds/generate/reason-pages/reason-pages.ts';
import { REASONS, type Reason } from '../../../crds/v1alpha1/reasons.ts';
import { nearestNames } from '../../../crds/schema/edit-distance.ts';
import { CliError } from '../../errors.ts';
import type { Rendered } from '../output/output-format.ts';
import { renderFields } from '../output/render-columns.ts';

/** Names of services are lower case and reasons are not, so no cluster is needed to tell them apart. */
export function isReasonName(name: string): boolean {
  return /^[A-Z]/.test(name);
}

/** The reason of that name, letter case aside. Throws `ReasonNotFound` with the nearest name. */
export function reasonNamed(name: string): Reason {
  const names = Object.keys(REASONS) as Reason[];
  const found = names.find((reason) => reason.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const [near] = nearestNames(name, names);
  throw new CliError('ReasonNotFound', {
    where: name,
    why: 'no reason has that name, and names of services are lower case.',
    nextStep: near === undefined ? undefined : `Did you mean reason ${near}?`,
  });
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
