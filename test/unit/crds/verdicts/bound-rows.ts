import { z } from 'zod';

import type { JsonSchema } from '../../../../crds/schema/structural.ts';
import { formatPath } from '../../../../crds/wire/json.ts';
import {
  anyValue,
  manyItems,
  requiredFields,
  sampleValues,
  type SampleValue,
} from './sample-values.ts';

/** A block of a manifest in which one field is at, just inside or just outside a bound. */
export interface BoundRow {
  readonly what: string;
  readonly block: unknown;
  /** Field that is refused, from the block's own root; null: accepted. */
  readonly malformed: string | null;
}

type Path = readonly (string | number)[];

interface Field {
  readonly path: Path;
  readonly schema: JsonSchema;
}

function childrenOf({ path, schema }: Field): Field[] {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => ({
    path: [...path, name],
    schema: field,
  }));
  return schema.items === undefined ? fields : [{ path: [...path, 0], schema: schema.items }];
}

function allFields(root: Field): Field[] {
  return [root, ...childrenOf(root).flatMap(allFields)];
}

/** The smallest block that has this value at the path. */
function blockWith(root: JsonSchema, path: Path, value: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  if (typeof head === 'number') return [blockWith(root.items ?? {}, rest, value)];
  const inner = blockWith(root.properties?.[head] ?? {}, rest, value);
  return { ...requiredFields(root), [head]: inner };
}

function isOpen({ additionalProperties }: JsonSchema): boolean {
  return typeof additionalProperties === 'object' && Object.keys(additionalProperties).length === 0;
}

function listValues(schema: JsonSchema): SampleValue[] {
  const items = schema.items ?? {};
  const max = Number(schema.maxItems);
  const min = Number(schema.minItems ?? 0);
  const values: SampleValue[] = [
    [manyItems(items, max), true],
    [manyItems(items, max + 1), false],
    [manyItems(items, min), true],
    ['x', false],
    [{ a: 1 }, false],
  ];
  if (min > 0) values.push([manyItems(items, min - 1), false]);
  if (schema['x-kubernetes-list-type'] !== undefined) {
    const [item] = manyItems(items, 1);
    values.push([[item, item], false]);
  }
  return values;
}

function mapOf(size: number, value: unknown): unknown {
  return Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, value]));
}

function mapValues(schema: JsonSchema): SampleValue[] {
  const inner = schema.additionalProperties as JsonSchema;
  const value = anyValue(inner);
  return [
    [mapOf(32, value), true],
    [mapOf(33, value), false],
    ['x', false],
    [[], false],
  ];
}

/** Rows of one block or list: as a whole, without each required field, with a field that does not exist. */
function blockRows(root: JsonSchema, { path, schema }: Field): BoundRow[] {
  const rows: BoundRow[] = [];
  const whole = requiredFields(schema);
  const add = (what: string, value: unknown, malformed: Path | null): void => {
    rows.push({
      what: `${formatPath(path)} ${what}`,
      block: blockWith(root, path, value),
      malformed: malformed === null ? null : formatPath([...path, ...malformed]),
    });
  };
  for (const name of schema.required ?? []) {
    const rest = Object.entries(whole).filter(([key]) => key !== name);
    add(`without ${name}`, Object.fromEntries(rest), [name]);
  }
  add('as a text', 'x', []);
  add('as a list', [whole], []);
  add('with a field that does not exist', { ...whole, nope: 1 }, isOpen(schema) ? null : ['nope']);
  return rows;
}

function valuesOf(schema: JsonSchema): SampleValue[] {
  if (schema.type === 'array') return listValues(schema);
  const { additionalProperties } = schema;
  if (typeof additionalProperties === 'object' && !isOpen(schema)) return mapValues(schema);
  return sampleValues(schema);
}

function fieldRows(root: JsonSchema, field: Field): BoundRow[] {
  const { path, schema } = field;
  const isMap = typeof schema.additionalProperties === 'object' && !isOpen(schema);
  if (schema.type === 'object' && !isMap) return blockRows(root, field);
  return valuesOf(schema).map(([value, isTaken]) => ({
    what: `${formatPath(path)} = ${JSON.stringify(value).slice(0, 60)}`,
    block: blockWith(root, path, value),
    malformed: isTaken ? null : formatPath(path),
  }));
}

/** Every bound of every field of a schema: just inside, just outside, and of another type. */
export function boundRows(schema: z.ZodType): readonly BoundRow[] {
  const root = z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0' }) as JsonSchema;
  const [, ...fields] = allFields({ path: [], schema: root });
  return fields.flatMap((field) => fieldRows(root, field));
}
