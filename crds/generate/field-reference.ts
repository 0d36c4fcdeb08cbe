import { walkFields, type FieldNode } from '../schema/field-tree.ts';
import { isClusterOnly } from '../schema/local-fields.ts';
import { tableRow } from './table-row.ts';

/** What stands between fields: the message with which an object is refused. */
interface ReferenceRule {
  readonly path: string;
  readonly message: string;
}

/** One kind as the reference shows it; `spec` and `status` are the trees below these fields. */
export interface ReferenceKind {
  readonly kind: string;
  readonly intro: string;
  readonly spec: FieldNode;
  readonly status: FieldNode;
  readonly rules: readonly ReferenceRule[];
}

function boundsOf(node: FieldNode): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.bounds !== undefined) return node.bounds;
  if (node.minimum !== undefined && node.maximum !== undefined) {
    return `${node.minimum} to ${node.maximum}`;
  }
  return node.items?.enum === undefined ? '' : boundsOf(node.items);
}

/** Blocks have a default for each of their fields, which has a row of its own. */
function defaultOf(node: FieldNode, required: boolean): string {
  if (required) return 'required';
  if (node.computed !== undefined) return `computed: ${node.computed}`;
  if (node.default === undefined || node.properties !== undefined) return '';
  return `\`${JSON.stringify(node.default)}\``;
}

function typeOf(node: FieldNode): string {
  return node.type ?? 'integer or string';
}

function specRow(path: string, node: FieldNode, required: boolean): string {
  const description = node.description ?? '';
  return tableRow([
    `\`${path}\``,
    typeOf(node),
    boundsOf(node),
    defaultOf(node, required),
    isClusterOnly(path) ? `${description} Without effect in local mode.` : description,
  ]);
}

function specTable(spec: FieldNode): string[] {
  const rows = ['| field | type | bounds | default | meaning |', '| --- | --- | --- | --- | --- |'];
  walkFields(
    spec,
    (path, node, required) => {
      rows.push(specRow(path, node, required));
    },
    'spec',
  );
  return rows;
}

function statusTable(status: FieldNode): string[] {
  const rows = ['| field | type | bounds | meaning |', '| --- | --- | --- | --- |'];
  walkFields(
    status,
    (path, node) => {
      rows.push(tableRow([`\`${path}\``, typeOf(node), boundsOf(node), node.description ?? '']));
    },
    'status',
  );
  return rows;
}

function ruleTable(rules: readonly ReferenceRule[]): string[] {
  const rows = rules.map(({ path, message }) =>
    tableRow([path === '' ? 'the object' : `\`${path}\``, message]),
  );
  return ['| where | an object that breaks it is refused with |', '| --- | --- |', ...rows];
}

/** The field reference of a kind as Markdown, in the order of the schema. `[]` marks list items. */
export function renderFieldReference({ kind, intro, ...parts }: ReferenceKind): string {
  return [
    `# Fields of ${kind}`,
    '',
    'Generated from `crds/v1alpha1`; do not edit. Percentages, durations and sizes are strings: `1%`, `1h30m`, `16Mi`.',
    intro,
    '',
    '## Spec',
    '',
    ...specTable(parts.spec),
    '',
    '## Rules between fields',
    '',
    ...ruleTable(parts.rules),
    '',
    '## Status',
    '',
    'Written by the operator alone; any field may be absent.',
    '',
    ...statusTable(parts.status),
    '',
  ].join('\n');
}
