import { stringify } from 'yaml';
import { tableRow } from '../../../crds/generate/table-row.ts';
import { defaultValues, isBlock, valueSchema, type ValueSchema } from './value-schema.ts';

const HEAD = '# Generated from charts/generate/values; do not edit: run `npm run generate`.\n';
const WIDTH = 100;

/** `values.schema.json`. */
export function renderValueSchema(): string {
  return `${JSON.stringify(valueSchema(), null, 2)}\n`;
}

/** `values.yaml`: every default, with its description above it. */
export function renderValues(): string {
  return `${HEAD}${blockLines(valueSchema(), defaultValues(), '').join('\n')}\n`;
}

function blockLines(schema: ValueSchema, values: unknown, indent: string): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, of]) => {
    const value = (values as Readonly<Record<string, unknown>>)[key];
    const comment = wrap(of.description ?? '', WIDTH - indent.length - 2).map(
      (line) => `${indent}# ${line}`,
    );
    const space = indent === '' ? [''] : [];
    if (isBlock(of)) {
      return [...space, ...comment, `${indent}${key}:`, ...blockLines(of, value, `${indent}  `)];
    }
    const text = stringify({ [key]: value }, { singleQuote: true, lineWidth: 0 }).trimEnd();
    return [...space, ...comment, ...text.split('\n').map((line) => `${indent}${line}`)];
  });
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

const TABLE_HEAD = `# Values of the chart

<!-- Generated from charts/generate/values; do not edit: run \`npm run generate\`. -->

A key that is not in this table is an error, outside maps and \`global\`. No value may be null: what stands in a map by default is
taken out with \`--set map.key=null\`.

| value | default | meaning |
| --- | --- | --- |
`;

/** `docs/values.md`. */
export function renderValueTable(): string {
  return `${TABLE_HEAD}${tableRows(valueSchema(), defaultValues(), '').join('\n')}\n`;
}

function tableRows(schema: ValueSchema, values: unknown, path: string): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, of]) => {
    const value = (values as Readonly<Record<string, unknown>>)[key];
    const at = `${path}${key}`;
    if (isBlock(of)) return [row(at, '', of), ...tableRows(of, value, `${at}.`)];
    return [row(at, `\`${JSON.stringify(value)}\``, of)];
  });
}

function row(path: string, standard: string, { description = '', ...of }: ValueSchema): string {
  const choices = of.enum === undefined ? '' : ` One of ${of.enum.join(', ')}.`;
  return tableRow([`\`${path}\``, standard, `${description}${choices}`]);
}
