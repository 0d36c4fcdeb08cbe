import { z } from 'zod';
import { chartValues } from './values.ts';

/** Draft-07 as zod prints it; `any` fields of it are not read. */
export interface ValueSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly anyOf?: readonly ValueSchema[];
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly propertyNames?: ValueSchema;
  readonly additionalProperties?: boolean | ValueSchema;
  readonly required?: readonly string[];
}

/**
 * The schema that Helm checks values against. Every key is required: Helm lays the user's values over the defaults
 * first, so one is missing only when it was set to null, and templates may rely on all.
 */
export function valueSchema(): ValueSchema {
  return z.toJSONSchema(chartValues, { target: 'draft-7', io: 'output' }) as ValueSchema;
}

/** What stands in values.yaml. */
export function defaultValues(): Readonly<Record<string, unknown>> {
  return chartValues.parse({});
}

/** A block has keys of its own; everything else is a value. */
export function isBlock(
  schema: ValueSchema,
): schema is ValueSchema & { readonly properties: Readonly<Record<string, ValueSchema>> } {
  return schema.properties !== undefined;
}
