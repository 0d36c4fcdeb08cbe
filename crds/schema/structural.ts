/**
 * JSON schema of zod -> the structural schema that the API server takes. Keywords are on a list: what is not on it
 * stops the generator, because the API server refuses some keywords and silently ignores others. Literal defaults are
 * written in full, since CEL sees the literal default of an absent block and not the defaults inside it.
 */

export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly description?: string;
  readonly bounds?: string;
  readonly computed?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** A structural schema; plain JSON that is built up and then only read. */
export interface StructuralSchema {
  [keyword: string]: unknown;
  properties?: Record<string, StructuralSchema>;
  items?: StructuralSchema;
}

const KEPT = [
  'type',
  'format',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
] as const;

/** Handled one by one, or notes of ours that the description takes in. */
const HANDLED = [
  'description',
  'default',
  'properties',
  'additionalProperties',
  'items',
  'anyOf',
  'propertyNames',
  'bounds',
  'computed',
  'example',
] as const;

const KNOWN: ReadonlySet<string> = new Set([...KEPT, ...HANDLED]);

function refuseUnless(holds: boolean, path: string, problem: string): void {
  if (!holds) throw new Error(`${path}: ${problem}`);
}

function boundsOf({ bounds, minimum, maximum }: JsonSchema): string | undefined {
  if (bounds !== undefined) return bounds;
  return minimum === undefined || maximum === undefined ? undefined : `${minimum} to ${maximum}`;
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** The description as `kubectl explain` shows it, which says nothing of ranges by itself. */
function describe(node: JsonSchema): string {
  const bounds = boundsOf(node);
  const { computed, default: standard } = node;
  return [
    node.description,
    bounds === undefined ? undefined : `Bounds: ${bounds}.`,
    computed === undefined ? undefined : `When absent: ${computed}.`,
    isScalar(standard) ? `Default: ${standard}.` : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}

/** Whole number or text: the one union that is structural. */
function unionOf(node: JsonSchema, path: string): StructuralSchema {
  const [whole, text, ...rest] = node.anyOf ?? [];
  const isIntOrString = whole?.type === 'integer' && text?.type === 'string' && rest.length === 0;
  refuseUnless(isIntOrString, path, 'only a union of integer and string is structural');
  const union: StructuralSchema = { 'x-kubernetes-int-or-string': true };
  for (const branch of [whole, text]) {
    for (const keyword of ['minimum', 'maximum', 'maxLength', 'pattern'] as const) {
      if (branch?.[keyword] !== undefined) union[keyword] = branch[keyword];
    }
  }
  return union;
}

function checkKeywords(node: JsonSchema, path: string): void {
  for (const keyword of Object.keys(node)) {
    refuseUnless(KNOWN.has(keyword), path, `the keyword ${keyword} is not structural`);
  }
}

/** What bounds a value of each type; a type that is not here is not taken. */
const HAS_BOUND: Readonly<Record<string, (node: JsonSchema) => boolean>> = {
  boolean: () => true,
  string: ({ maxLength, format }) => maxLength !== undefined || format === 'date-time',
  integer: ({ minimum, maximum }) => minimum !== undefined && maximum !== undefined,
  array: ({ maxItems }) => maxItems !== undefined,
  object: (node) => !isMap(node) || node.maxProperties !== undefined,
};

/** CEL is refused over values without a greatest size, and so is our own reading of them. */
function checkBound(node: JsonSchema, path: string): void {
  const isBounded =
    node.enum !== undefined ||
    node.anyOf !== undefined ||
    HAS_BOUND[node.type ?? '']?.(node) === true;
  refuseUnless(isBounded, path, 'the field has no bound');
}

/** A loose object of zod: other fields pass unchanged. */
function isOpen({ additionalProperties }: JsonSchema): boolean {
  return typeof additionalProperties === 'object' && Object.keys(additionalProperties).length === 0;
}

/** An object whose fields are not declared but share one schema. */
function isMap(node: JsonSchema): node is JsonSchema & { additionalProperties: JsonSchema } {
  return typeof node.additionalProperties === 'object' && !isOpen(node);
}

/** The default that an absent block gets: those of its fields, written out. */
function literalDefault(schema: StructuralSchema): Record<string, unknown> {
  const fields = Object.entries(schema.properties ?? {}).filter(
    ([, field]) => field.default !== undefined,
  );
  return Object.fromEntries(fields.map(([name, field]) => [name, field.default]));
}

function toMembers(node: JsonSchema, path: string): StructuralSchema {
  const members: StructuralSchema = {};
  const { properties, items } = node;
  if (properties !== undefined && Object.keys(properties).length > 0) {
    members.properties = Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [
        name,
        toStructural(field, `${path}.${name}`),
      ]),
    );
  }
  if (isOpen(node)) members['x-kubernetes-preserve-unknown-fields'] = true;
  else if (isMap(node)) {
    members.additionalProperties = toSchema(node.additionalProperties, `${path}{}`);
  }
  if (items !== undefined) members.items = toSchema(items, `${path}[]`);
  return members;
}

/** A schema without a description of its own: list items, values of maps. */
function toSchema(node: JsonSchema, path: string): StructuralSchema {
  checkKeywords(node, path);
  checkBound(node, path);
  const schema: StructuralSchema = node.anyOf === undefined ? {} : unionOf(node, path);
  for (const keyword of KEPT) {
    if (node[keyword] !== undefined) schema[keyword] = node[keyword];
  }
  // The pattern of zod's times is long and its message unreadable; the format is checked.
  if (node.format === 'date-time') delete schema.pattern;
  Object.assign(schema, toMembers(node, path));
  return schema;
}

/**
 * The structural schema of a field with its description. Throws where the schema has a keyword that the API server does
 * not take, a field without a bound, or one without a description.
 */
export function toStructural(node: JsonSchema, path: string): StructuralSchema {
  refuseUnless(node.description?.endsWith('.') === true, path, 'the field has no description');
  const schema: StructuralSchema = { description: describe(node), ...toSchema(node, path) };
  if (node.default === undefined) return schema;
  const isBlock = node.type === 'object';
  const standard = isBlock ? literalDefault(schema) : node.default;
  if (!isBlock || Object.keys(standard as object).length > 0) schema.default = standard;
  return schema;
}
