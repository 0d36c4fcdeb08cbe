import { isDeepStrictEqual } from 'node:util';

/** A structural schema, as the API server reads it. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

/** Says nothing about what is accepted. */
const WORDS = ['description', 'title', 'example', 'externalDocs'];
const LEAST = ['minimum', 'minLength', 'minItems', 'minProperties'];
const MOST = ['maximum', 'maxLength', 'maxItems', 'maxProperties'];
/** Accepts more where it stands. */
const LOOSENS = ['nullable', 'x-kubernetes-int-or-string', 'x-kubernetes-preserve-unknown-fields'];
const WALKED = ['properties', 'items', 'additionalProperties', 'required'];

/**
 * One line, `field: what`, for each value that `old` accepted and `now` may refuse, prune or read in another way. A
 * keyword that is not known here counts when it differs at all.
 */
export function schemaChanges(old: Schema, now: Schema, path = ''): readonly string[] {
  const keywords = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (one) => !WORDS.includes(one) && !WALKED.includes(one),
  );
  return [
    ...keywords.flatMap((keyword) => keywordChange(keyword, old[keyword], now[keyword])),
    ...requiredChanges(old, now),
  ]
    .map((what) => `${path === '' ? '.' : path}: ${what}`)
    .concat(innerChanges(old, now, path));
}

function keywordChange(keyword: string, old: unknown, now: unknown): readonly string[] {
  if (isDeepStrictEqual(old, now)) return [];
  if (keyword === 'enum') return enumChanges(old as readonly unknown[], now as readonly unknown[]);
  if (keyword === 'x-kubernetes-validations') return ruleChanges(old, now);
  return isLooser(keyword, old, now) ? [] : [`${keyword} was ${shown(old)} and is ${shown(now)}`];
}

function isLooser(keyword: string, old: unknown, now: unknown): boolean {
  if (LOOSENS.includes(keyword)) return now === true;
  // What limits nothing any more. A default that goes, or another type, is read in another way.
  if (now === undefined) return !['default', 'type'].includes(keyword) && !isListKind(keyword);
  if (old === undefined) return false;
  if (LEAST.includes(keyword)) return Number(now) < Number(old);
  return MOST.includes(keyword) && Number(now) > Number(old);
}

/** How lists and maps are merged by server-side apply. */
function isListKind(keyword: string): boolean {
  return /^x-kubernetes-(list|map)-/.test(keyword);
}

function enumChanges(
  old: readonly unknown[] | undefined,
  now: readonly unknown[] | undefined,
): readonly string[] {
  if (now === undefined) return [];
  if (old === undefined) return [`only ${shown(now)} are left`];
  return old.filter((one) => !now.includes(one)).map((one) => `${shown(one)} is gone`);
}

function ruleChanges(old: unknown, now: unknown): readonly string[] {
  const rulesOf = (one: unknown): readonly string[] =>
    ((one ?? []) as readonly { rule: string }[]).map(({ rule }) => rule);
  const known = rulesOf(old);
  return rulesOf(now)
    .filter((rule) => !known.includes(rule))
    .map((rule) => `has the new rule ${rule}`);
}

/** A field with a default is there before it is asked for. */
function requiredChanges(old: Schema, now: Schema): readonly string[] {
  const isDemanded = (schema: Schema, name: string): boolean =>
    schema.required?.includes(name) === true && schema.properties?.[name]?.default === undefined;
  return (now.required ?? [])
    .filter((name) => isDemanded(now, name) && !isDemanded(old, name))
    .map((name) => `${name} is required`);
}

function innerChanges(old: Schema, now: Schema, path: string): readonly string[] {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const fields = Object.entries(old.properties ?? {}).flatMap(([name, schema]) => {
    const next = now.properties?.[name];
    if (next !== undefined) return schemaChanges(schema, next, at(name));
    return isOpen(now) ? [] : [`${at(name)}: is gone`];
  });
  return [
    ...fields,
    ...partChanges(old.items, now.items, `${path}[]`),
    ...partChanges(old.additionalProperties, now.additionalProperties, at('*')),
  ];
}

function isOpen(schema: Schema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true;
}

function partChanges(
  old: Schema | boolean | undefined,
  now: Schema | boolean | undefined,
  path: string,
): readonly string[] {
  if (old === undefined || old === false || now === true) return [];
  if (now === undefined || now === false) return [`${path}: is gone`];
  return schemaChanges(old === true ? {} : old, now, path);
}

function shown(value: unknown): string {
  return value === undefined ? 'open' : JSON.stringify(value);
}
