import { walkFields, type FieldNode } from '../schema/field-tree.ts';

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

function row(path: string, node: FieldNode, required: boolean): string {
  const type = node.type ?? 'integer or string';
  const cells = [
    `\`${path}\``,
    type,
    boundsOf(node),
    defaultOf(node, required),
    node.description ?? '',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The field reference of CachedModelService as Markdown, in the order of the schema. `[]` marks list items. */
export function renderManifestReference(root: FieldNode): string {
  const rows: string[] = [];
  walkFields(root, (path, node, required) => {
    if (path.startsWith('spec.')) rows.push(row(path, node, required));
  });
  return [
    '# Fields of CachedModelService',
    '',
    'Generated from `crds/v1alpha1`; do not edit. Percentages, durations and sizes are strings: `1%`, `1h30m`, `16Mi`.',
    'Check a manifest with `layercache validate -f FILE`.',
    '',
    '| field | type | bounds | default | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
