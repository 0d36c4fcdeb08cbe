// Field ownership of server-side apply, after its specification (structured-merge-diff 6): sets of paths, no more.
import { canonicalJson } from '../../crds/wire/json.ts';
import { isRecord } from '../../operator/kube/same-fields.ts';
import { fieldSchema, isMap, type Schema } from './simulated-api-schema.ts';

/** Paths as `f:spec`, `k:{"name":"a"}`, `f:image`, joined by a character that none of them holds. */
export type FieldSet = ReadonlySet<string>;
/** Paths with their values as text; empty text for items and containers, which are there or not. */
export type FieldValues = ReadonlyMap<string, string>;
type Json = unknown;

const JOINT = '\n';
const OPEN: Schema = {};

const below = (path: string, part: string): string =>
  path === '' ? part : `${path}${JOINT}${part}`;

/**
 * The leaves of a value, and the items of its keyed lists. With containers, as an update counts them, also maps and
 * lists that merge.
 */
export function fieldValues(value: Json, schema: Schema, hasContainers: boolean): FieldValues {
  const values = new Map<string, string>();
  const add = (inner: Json, at: Schema, path: string): void => {
    const parts = partsOf(inner, at);
    if (parts === null || parts.length === 0) {
      values.set(path, canonicalJson(inner));
      return;
    }
    if (hasContainers && (Array.isArray(inner) || isMap(at))) values.set(path, '');
    for (const part of parts) {
      const itemPath = below(path, part.part);
      add(part.value, part.schema, itemPath);
      if (part.part.startsWith('k:') && !values.has(itemPath)) values.set(itemPath, '');
    }
  };
  for (const part of partsOf(value, schema) ?? []) add(part.value, part.schema, part.part);
  return values;
}

/** Paths that only `after` has, or whose value differs. */
export function changedFields(before: FieldValues, after: FieldValues): FieldSet {
  return new Set(
    [...after].filter(([path, text]) => before.get(path) !== text).map(([path]) => path),
  );
}

interface Part {
  readonly part: string;
  readonly value: Json;
  readonly schema: Schema;
}

/** What a value is made of for merging; null: it is one. */
function partsOf(value: Json, schema: Schema): readonly Part[] | null {
  if (Array.isArray(value)) return listParts(value, schema);
  if (!isRecord(value) || schema['x-kubernetes-map-type'] === 'atomic') return null;
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([field, inner]) => ({
      part: `f:${field}`,
      value: inner,
      schema: fieldSchema(schema, field) ?? OPEN,
    }));
}

function listParts(value: readonly Json[], schema: Schema): readonly Part[] | null {
  const items = schema.items ?? OPEN;
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'map' && type !== 'set') return null;
  return value.map((item) => ({
    part: type === 'map' ? keyPart(item, schema) : `v:${JSON.stringify(item)}`,
    value: item,
    schema: items,
  }));
}

function keyPart(item: Json, schema: Schema): string {
  const keys = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort();
  const fields = isRecord(item) ? item : {};
  // The API server fills the protocol of a port in before it looks at keys.
  const value = (key: string): Json => fields[key] ?? (key === 'protocol' ? 'TCP' : null);
  return `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, value(key)])))}`;
}

/** `live` with everything that `body` says: maps and keyed lists merge, the rest is replaced. */
export function mergeFields(live: Json, body: Json, schema: Schema): Json {
  if (Array.isArray(body)) return mergeLists(live, body, schema);
  if (!isRecord(body) || !isRecord(live) || schema['x-kubernetes-map-type'] === 'atomic')
    return body;
  const result: Record<string, Json> = { ...live };
  for (const [field, inner] of Object.entries(body)) {
    if (inner !== undefined) {
      result[field] = mergeFields(live[field], inner, fieldSchema(schema, field) ?? OPEN);
    }
  }
  return result;
}

function mergeLists(live: Json, body: readonly Json[], schema: Schema): Json {
  const theirs = listParts(body, schema);
  if (theirs === null || !Array.isArray(live)) return body;
  const ours = listParts(live as readonly Json[], schema) ?? [];
  const merged = ours.map(({ part, value, schema: items }) => {
    const other = theirs.find((their) => their.part === part);
    return other === undefined ? value : mergeFields(value, other.value, items);
  });
  const known = new Set(ours.map(({ part }) => part));
  return [...merged, ...theirs.filter(({ part }) => !known.has(part)).map(({ value }) => value)];
}

/** Without the given paths and all below them; containers that lose their last part go too. */
export function removeFields(value: Json, schema: Schema, gone: FieldSet, path = ''): Json {
  const parts = partsOf(value, schema);
  if (parts === null || parts.length === 0) return value;
  const kept: { readonly part: string; readonly value: Json }[] = [];
  for (const { part, value: inner, schema: at } of parts) {
    const innerPath = below(path, part);
    if (gone.has(innerPath)) continue;
    const left = removeFields(inner, at, gone, innerPath);
    if (left !== undefined) kept.push({ part, value: left });
  }
  if (kept.length === 0 && path !== '') return undefined;
  if (Array.isArray(value)) return kept.map(({ value: item }) => item);
  return Object.fromEntries(kept.map(({ part, value: inner }) => [part.slice(2), inner]));
}

/** Proper beginnings of the paths: what has something below it. */
export function innerPaths(set: FieldSet): FieldSet {
  const inner = new Set<string>();
  for (const path of set) {
    for (let at = path.lastIndexOf(JOINT); at > 0; at = path.lastIndexOf(JOINT, at - 1)) {
      inner.add(path.slice(0, at));
    }
  }
  return inner;
}

/** As it stands in `managedFields`. */
export function toFieldsV1(set: FieldSet): Readonly<Record<string, Json>> {
  const root: Record<string, Json> = {};
  const inner = innerPaths(set);
  for (const path of [...set].sort()) {
    let at = root;
    for (const part of path.split(JOINT)) {
      at[part] ??= {};
      at = at[part] as Record<string, Json>;
    }
    if (inner.has(path)) at['.'] = {};
  }
  return root;
}
