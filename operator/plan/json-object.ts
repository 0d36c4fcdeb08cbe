/** JSON as it stands in raw fields and in live objects: nothing is known of it until somebody looks. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An object that is neither a list nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at a path of keys, empty where there is none. */
export function objectAt(root: unknown, ...path: readonly string[]): JsonObject {
  let value = root;
  for (const key of path) value = isJsonObject(value) ? value[key] : undefined;
  return isJsonObject(value) ? value : {};
}

/** The list at a path of keys, empty where there is none; what is no object in it is left out. */
export function listAt(root: unknown, ...path: readonly string[]): readonly JsonObject[] {
  const parent = objectAt(root, ...path.slice(0, -1));
  const value = parent[String(path.at(-1))];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** A text field, or null. */
export function textAt(object: JsonObject, key: string): string | null {
  const value = object[key];
  return typeof value === 'string' ? value : null;
}

/** A number field; 0 where there is none, as the API server leaves zeros out. */
export function countAt(object: JsonObject, key: string): number {
  const value = object[key];
  return typeof value === 'number' ? value : 0;
}
