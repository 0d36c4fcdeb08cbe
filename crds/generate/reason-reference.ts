import type { ReasonEntry } from '../v1alpha1/reason-entry.ts';

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
): string {
  const sections = Object.entries(groups).map(([group, reasons]) =>
    [
      `## ${TITLES[group] ?? group}`,
      '',
      '| reason | meaning | what you do |',
      '| --- | --- | --- |',
      ...Object.entries(reasons).map(
        ([name, { meaning, action }]) =>
          `| \`${name}\` | ${meaning} | ${action === '' ? '-' : action} |`,
      ),
      '',
    ].join('\n'),
  );
  const head =
    '# Reasons\n\n' +
    'Generated from `crds/v1alpha1/reasons.ts`; do not edit. Conditions, events, decisions, CLI errors and log lines use\n' +
    'these names; metric labels are their snake_case.\n';
  return [head, ...sections].join('\n');
}
