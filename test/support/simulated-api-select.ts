import type { KubeObject, ListOptions } from '../../operator/kube/api.ts';

type Selection = Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;

/** Whether an object is in a selection; selectors as the API has them, fields by name alone. */
export function isSelected({ metadata }: KubeObject, select: Selection): boolean {
  if (select.namespace !== undefined && metadata.namespace !== select.namespace) return false;
  const labels = metadata.labels ?? {};
  const isLabelled = termsOf(select.labelSelector).every((term) => matchesLabel(labels, term));
  return (
    isLabelled &&
    termsOf(select.fieldSelector).every((term) => term === `metadata.name=${metadata.name}`)
  );
}

/** Commas part terms, but not inside the brackets of a set. */
function termsOf(selector: string | undefined): readonly string[] {
  return (selector ?? '').split(/,(?![^(]*\))/).filter((term) => term !== '');
}

function matchesLabel(labels: Readonly<Record<string, string>>, term: string): boolean {
  const set = /^(\S+) (in|notin) \((.*)\)$/.exec(term);
  if (set !== null) {
    const [, key = '', operator, values = ''] = set;
    const isIn = values
      .split(',')
      .map((value) => value.trim())
      .includes(labels[key] ?? '\0');
    return isIn === (operator === 'in');
  }
  const pair = /^([^!=]+)(!=|==?)(.*)$/.exec(term);
  if (pair !== null) return (labels[pair[1]!] === pair[3]) === (pair[2] !== '!=');
  return term.startsWith('!') ? !(term.slice(1) in labels) : term in labels;
}
