import type { ReasonEntry } from '../v1alpha1/reason-entry.ts';
import type { ReasonPage } from './reason-pages/reason-page.ts';

const TITLES: Readonly<Record<string, string>> = {
  service: 'Service and pods',
  policy: 'Policy',
  exits: 'Exits',
  evidence: 'Evidence and certificate',
  rollout: 'Rollout',
  training: 'Training',
  platform: 'Platform and head revisions',
};

/** The reason reference as Markdown, in the order of the catalogue. */
export function renderReasonReference(
  groups: Readonly<Record<string, Readonly<Record<string, ReasonEntry>>>>,
  pages: Readonly<Record<string, ReasonPage>>,
): string {
  const titled = Object.entries(groups).map(
    ([group, reasons]) => [TITLES[group] ?? group, Object.entries(reasons)] as const,
  );
  const contents = titled.map(
    ([title, reasons]) =>
      `- ${title}: ${reasons.map(([name]) => `[${name}](#${name.toLowerCase()})`).join(', ')}`,
  );
  const sections = titled.flatMap(([title, reasons]) => [
    `## ${title}`,
    '',
    ...reasons.flatMap(([name, entry]) => renderPage(name, entry, pages[name])),
  ]);
  return [HEAD, ...contents, '', ...sections].join('\n');
}

function renderPage(
  name: string,
  { meaning, action }: ReasonEntry,
  page: ReasonPage = { seen: [], check: '' },
): readonly string[] {
  return [
    `### ${name}`,
    '',
    `- **Seen as**: ${page.seen.map(shown).join(', ')}`,
    `- **Means**: ${meaning}`,
    `- **Check**: ${page.check}`,
    `- **Fix**: ${action === '' ? 'Nothing to do.' : action}`,
    '',
  ];
}

/** A condition with its status is a name; the rest are words. */
function shown(place: string): string {
  return place.replace(/\b[A-Z]\w+=\w+$/, '`$&`');
}

const HEAD = [
  '# Reasons',
  '',
  'Generated from `crds/v1alpha1/reasons.ts` and `crds/generate/reason-pages`; do not edit. Conditions, events, decisions, errors of the',
  'command line and log lines use these names; metric labels are their snake_case. In commands NAME is the service, NAMESPACE its namespace,',
  'POD one of its pods, OPERATOR the account of the operator. "revision" means a CacheHeadRevision. Start with',
  '`layercache explain NAME -n NAMESPACE`, or `kubectl -n NAMESPACE describe cachedmodelservice NAME`: conditions, then events.',
  '`layercache explain REASON` prints a page.',
  '',
].join('\n');
