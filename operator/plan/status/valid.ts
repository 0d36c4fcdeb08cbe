import type { StatusFacts } from './facts.ts';
import { toVerdict, type Verdict } from './verdict.ts';

/** Checks of the controller in order: what makes the next ones pointless comes first. */
const CHECKS: readonly ((facts: StatusFacts) => Verdict | null)[] = [
  readsTheSpec,
  ownsItsNames,
  findsItsConfigMaps,
  hasAPodTemplate,
  hasValidChildren,
];

export function assessValid(facts: StatusFacts): Verdict {
  for (const check of CHECKS) {
    const verdict = check(facts);
    if (verdict !== null) return verdict;
  }
  if (facts.isTemplateKept) {
    const what =
      'The spec is accepted. Its pods stay as a newer operator made them: install that version again, or delete the Deployment to have it made anew.';
    return { status: 'True', reason: 'Accepted', message: what };
  }
  return toVerdict('True', 'Accepted', 'The spec is accepted.');
}

function readsTheSpec({ specProblem }: StatusFacts): Verdict | null {
  if (specProblem === null) return null;
  const what = `The spec is not applied, what runs goes on: ${specProblem}.`;
  return toVerdict('False', 'InvalidSpec', what);
}

function ownsItsNames({ conflicts }: StatusFacts): Verdict | null {
  const [first, ...rest] = conflicts;
  if (first === undefined) return null;
  const others = rest.map(({ kind, name }) => `, ${kind} ${name}`).join('');
  const what = `${first.kind} ${first.name} ${first.holder}${rest.length > 0 ? `; likewise${others.slice(1)}` : ''}.`;
  if (conflicts.every(({ isLeaving }) => isLeaving)) {
    return {
      status: 'Unknown',
      reason: 'NameConflict',
      message: `${what} Wait: it is removed soon.`,
    };
  }
  return toVerdict('False', 'NameConflict', what);
}

function findsItsConfigMaps({ missingConfigMaps }: StatusFacts): Verdict | null {
  if (missingConfigMaps.length === 0) return null;
  const named = missingConfigMaps.map(({ field, name }) => `${name} (${field})`).join(', ');
  return toVerdict(
    'False',
    'ConfigMapNotFound',
    `There is no ConfigMap ${named}; pods stay as they are.`,
  );
}

function hasAPodTemplate({ templateProblems }: StatusFacts): Verdict | null {
  if (templateProblems.length === 0) return null;
  const shown = templateProblems
    .map(({ path, message }) => `${path}: ${withoutAddress(message)}`)
    .join('; ');
  return toVerdict('False', 'PodTemplateRejected', `${shown}.`);
}

/** The API server says first which object it speaks of, which the path has said: field and cause come into view. */
function withoutAddress(message: string): string {
  return ADDRESSES.reduce((text, address) => text.replace(address, ''), message);
}

const ADDRESSES: readonly RegExp[] = [
  /^failed to create typed patch object \([^)]*\): /,
  /^failed to convert new object \([^)]*\) to proper version: unable to convert unstructured object to [^:]*: /,
  /^Deployment\.apps "[^"]*" is invalid: /,
];

/** Fields that are raw in our schema, such as the metrics of an autoscaler. */
function hasValidChildren({ rejections }: StatusFacts): Verdict | null {
  if (rejections.length === 0) return null;
  const shown = rejections.map(({ kind, name, message }) => `${kind} ${name}: ${message}`);
  return toVerdict('False', 'InvalidSpec', `The API server refuses ${shown.join('; ')}.`);
}
