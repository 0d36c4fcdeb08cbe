import type { LabelValues, MetricFamily } from '../metrics/catalogue.ts';
import { tableRow } from './table-row.ts';

const OPEN_SETS: Readonly<Record<string, string>> = {
  exit: 'exit names and `backbone`',
  segment: 'exit names, `backbone` and `whole`',
  model: 'model name',
  namespace: 'namespace of the service',
  head_revision: 'digests in force',
  text: 'few values',
};

function labelText(name: string, values: LabelValues): string {
  if (typeof values === 'string') return `\`${name}\` (${String(OPEN_SETS[values])})`;
  return `\`${name}\` (${values.map((value) => `\`${value}\``).join(', ')})`;
}

function row(family: MetricFamily): string {
  const labels = Object.entries(family.labels).map(([name, values]) => labelText(name, values));
  const buckets = family.buckets === undefined ? '' : ` Buckets: ${family.buckets.join(', ')}.`;
  const { name, type, unit, help } = family;
  return tableRow([`\`${name}\``, type, unit, labels.join('; '), `${help}${buckets}`]);
}

/** A metric reference as Markdown, in the order of the catalogue, under a title and introduction. */
export function renderMetricReference(
  head: string,
  groups: Readonly<Record<string, Readonly<Record<string, MetricFamily>>>>,
): string {
  const sections = Object.entries(groups).map(([title, families]) =>
    [
      `## ${title}`,
      '',
      '| metric | type | unit | labels | meaning |',
      '| --- | --- | --- | --- | --- |',
      ...Object.values(families).map(row),
      '',
    ].join('\n'),
  );
  return [head, ...sections].join('\n');
}

export const SERVER_METRICS_HEAD =
  '# Metrics of the model server\n\n' +
  'Generated from `crds/metrics/catalogue.ts`; do not edit. Every family also has the label `model`.\n' +
  'Metrics are for people: certificates and alarms use evidence windows only.\n';

export const OPERATOR_METRICS_HEAD =
  '# Metrics of the operator\n\n' +
  'Generated from `crds/metrics/operator-catalogue.ts`; do not edit. Series about a service carry `model_namespace` and\n' +
  '`model`, and vanish with it. Families that controllers everywhere have keep their public names.\n';
