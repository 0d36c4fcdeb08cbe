import { isJsonObject, type JsonObject } from './json-object.ts';
import type { LiveObject, ManagedFields } from './live-object.ts';
import { namesItem } from './managed-items.ts';
import { FIELD_MANAGER } from './names.ts';

/** Fields that our applies own, as the API server lists them. */
export function ownedFields(live: LiveObject): JsonObject {
  return live.metadata.managedFields?.find(isOurs)?.fieldsV1 ?? {};
}

function isOurs({ manager, operation, subresource }: ManagedFields): boolean {
  return manager === FIELD_MANAGER && operation === 'Apply' && subresource === undefined;
}

/** What of a live object our applies own: applying it again changes nothing. Empty for no object. */
export function ownedPart(live: LiveObject | null): unknown {
  return live === null ? {} : pick(live, ownedFields(live));
}

/** `fieldsV1` names fields `f:<name>`, items of keyed lists `k:<key>`, items of sets `v:<value>`; no names: the whole. */
function pick(value: unknown, fields: JsonObject): unknown {
  const names = Object.keys(fields).filter((name) => name !== '.');
  if (names.length === 0) return value;
  if (Array.isArray(value)) return pickItems(value, fields, names);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    names.flatMap((name) => {
      const field = name.slice(2);
      return field in value ? [[field, pick(value[field], innerFields(fields, name))]] : [];
    }),
  );
}

/** In the order of the list, not of the names: items of a pod template in another order are another template. */
function pickItems(
  list: readonly unknown[],
  fields: JsonObject,
  names: readonly string[],
): readonly unknown[] {
  return list.flatMap((item) => {
    const name = names.find((candidate) => namesItem(candidate, item));
    return name === undefined ? [] : [pick(item, innerFields(fields, name))];
  });
}

function innerFields(fields: JsonObject, name: string): JsonObject {
  const inner = fields[name];
  return isJsonObject(inner) ? inner : {};
}
