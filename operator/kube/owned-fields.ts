import type { KubeObject } from './api.ts';
import { containsFields, isRecord } from './same-fields.ts';

/**
 * Whether the manager owns exactly the fields of `body` by server-side apply: all of them, and none that an earlier
 * body had and this one lacks. May say no where it is yes (a list key filled in by a default), never the reverse.
 */
export function ownsExactly(
  live: KubeObject,
  body: Readonly<Record<string, unknown>>,
  owner: { readonly fieldManager: string; readonly subresource: 'status' | undefined },
): boolean {
  const fields = fieldsOf(live, owner);
  return fields !== undefined && matches(fields, body);
}

/**
 * Whether the object says what `body` says in the places that the manager owns: of a list that several fill by keys, such as
 * conditions, its own items in the order of the body. To be asked where `ownsExactly` holds.
 */
export function saysOwned(
  live: KubeObject,
  body: Readonly<Record<string, unknown>>,
  owner: { readonly fieldManager: string; readonly subresource: 'status' | undefined },
): boolean {
  return says(live, body, fieldsOf(live, owner));
}

function fieldsOf(
  live: KubeObject,
  owner: { readonly fieldManager: string; readonly subresource: 'status' | undefined },
): unknown {
  return live.metadata.managedFields?.find(
    ({ manager, operation, subresource }) =>
      manager === owner.fieldManager &&
      operation === 'Apply' &&
      (subresource ?? '') === (owner.subresource ?? ''),
  )?.fieldsV1;
}

function says(live: unknown, wanted: unknown, fields: unknown): boolean {
  if (!isRecord(fields)) return containsFields(live, wanted);
  if (Array.isArray(wanted)) return saysItems(live, wanted, fields);
  if (!isRecord(wanted)) return live === wanted;
  return (
    isRecord(live) &&
    Object.entries(wanted).every(([key, field]) => says(live[key], field, fields[`f:${key}`]))
  );
}

function saysItems(live: unknown, wanted: readonly unknown[], fields: Fields): boolean {
  const keys = Object.keys(fields).filter((key) => key !== '.');
  if (keys.length === 0 || !Array.isArray(live)) return containsFields(live, wanted);
  const places = wanted.map((item) => {
    const key = keys.find((one) => itemOf(one, [item]) !== undefined);
    const found = key === undefined ? undefined : itemOf(key, live);
    return says(found, item, key && fields[key]) ? live.indexOf(found) : -1;
  });
  return places.every((place, i) => place > (places[i - 1] ?? -1));
}

type Fields = Readonly<Record<string, unknown>>;

function matches(fields: unknown, value: unknown): boolean {
  if (!isRecord(fields)) return false;
  const owned = Object.keys(fields).filter((key) => key !== '.');
  // A leaf: a scalar, an atomic list or map, or an empty map.
  if (owned.length === 0)
    return !isRecord(value) || Object.keys(value).length === 0 || isLeaf(fields);
  if (Array.isArray(value)) return matchesList(fields, owned, value);
  return isRecord(value) && matchesMap(fields, owned, value);
}

/** Without the mark of a map that can be merged, an empty set of fields stands for a whole value. */
function isLeaf(fields: Fields): boolean {
  return !('.' in fields);
}

function matchesMap(
  fields: Fields,
  owned: readonly string[],
  value: Readonly<Record<string, unknown>>,
): boolean {
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return (
    owned.length === keys.length &&
    keys.every((key) => `f:${key}` in fields && matches(fields[`f:${key}`], value[key]))
  );
}

function matchesList(fields: Fields, owned: readonly string[], value: readonly unknown[]): boolean {
  return (
    owned.length === value.length &&
    owned.every((key) => {
      const item = itemOf(key, value);
      return item !== undefined && (key.startsWith('v:') || matches(fields[key], item));
    })
  );
}

/** The item that `k:{"name":"x"}` or `v:"x"` stands for. */
function itemOf(key: string, value: readonly unknown[]): unknown {
  const sought = JSON.parse(key.slice(2)) as unknown;
  if (key.startsWith('v:')) return value.find((item) => item === sought);
  if (!key.startsWith('k:') || !isRecord(sought)) return undefined;
  return value.find(
    (item) =>
      isRecord(item) &&
      Object.entries(sought).every(([name, part]) => !(name in item) || item[name] === part),
  );
}
