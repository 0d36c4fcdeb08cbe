import { isJsonObject, type JsonObject } from './json-object.ts';
import type { LiveObject } from './live-object.ts';
import { itemNamed } from './managed-items.ts';
import { ownedFields } from './owned-part.ts';
import { isSameQuantity } from './quantity.ts';

/** Lists that the API server merges by a key of their items; all others are one value. */
const LIST_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  imagePullSecrets: ['name'],
  resourceClaims: ['name'],
  volumeMounts: ['mountPath'],
  ports: ['containerPort', 'port', 'protocol'],
  ownerReferences: ['uid'],
};

/** Fields whose values the API server rewrites: `0.5` comes back as `500m`. */
const QUANTITY_FIELDS = /^(limits|requests|sizeLimit|averageValue|value|divisor)$/;

/** Set by the API server, or a precondition of the write: no difference. */
const NOT_COMPARED: ReadonlySet<string> = new Set([
  '.metadata.uid',
  '.metadata.resourceVersion',
  '.apiVersion',
  '.kind',
]);

/**
 * The first field in which a live object is not as we want it, or null: then an apply would change nothing. Only fields
 * that we set count, and fields that we own and no longer set; what others added is theirs. An empty text, list or object
 * equals an absent one. In doubt it names a field: an apply that changes nothing is free of consequences.
 */
export function driftedField(desired: LiveObject, live: LiveObject): string | null {
  return (
    differs(desired, live, { path: '', field: '' }) ?? leftOver(desired, ownedFields(live), '')
  );
}

interface Place {
  readonly path: string;
  readonly field: string;
  /** Somewhere above is a field that holds quantities. */
  readonly isQuantity?: boolean;
}

function differs(desired: unknown, live: unknown, place: Place): string | null {
  if (isEmpty(desired) && isEmpty(live)) return null;
  if (Array.isArray(desired)) {
    return Array.isArray(live) ? listDiffers(desired, live, place) : place.path;
  }
  if (isJsonObject(desired)) {
    return isJsonObject(live) ? objectDiffers(desired, live, place) : place.path;
  }
  const isSame = desired === live || (place.isQuantity === true && isSameQuantity(desired, live));
  return isSame ? null : place.path;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function objectDiffers(desired: JsonObject, live: JsonObject, place: Place): string | null {
  for (const [field, value] of Object.entries(desired)) {
    const path = `${place.path}.${field}`;
    if (value === undefined || NOT_COMPARED.has(path)) continue;
    const isQuantity = place.isQuantity === true || QUANTITY_FIELDS.test(field);
    const found = differs(value, live[field], { path, field, isQuantity });
    if (found !== null) return found;
  }
  return null;
}

function listDiffers(
  desired: readonly unknown[],
  live: readonly unknown[],
  place: Place,
): string | null {
  const keys = LIST_KEYS[place.field];
  if (keys === undefined && desired.length !== live.length) return place.path;
  for (const [i, item] of desired.entries()) {
    const other = keys === undefined ? live[i] : matchItem(item, live, keys);
    const found = differs(item, other, { ...place, path: `${place.path}[${i}]` });
    if (found !== null) return found;
  }
  return null;
}

function matchItem(item: unknown, live: readonly unknown[], keys: readonly string[]): unknown {
  if (!isJsonObject(item)) return undefined;
  const given = keys.filter((key) => item[key] !== undefined);
  return live.find(
    (other) => isJsonObject(other) && given.every((key) => other[key] === item[key]),
  );
}

/** A field that our last apply set and that is wanted no more: the next apply removes it. */
function leftOver(desired: unknown, owned: JsonObject, path: string): string | null {
  for (const [name, inner] of Object.entries(owned)) {
    if (name === '.' || name.startsWith('v:')) continue;
    const at = `${path}${name.startsWith('k:') ? `[${name.slice(2)}]` : `.${name.slice(2)}`}`;
    if (NOT_COMPARED.has(at)) continue;
    const found = leftOverAt(valueNamed(desired, name), inner, at);
    if (found !== null) return found;
  }
  return null;
}

function leftOverAt(value: unknown, owned: unknown, path: string): string | null {
  if (value === undefined) return path;
  return isJsonObject(owned) ? leftOver(value, owned, path) : null;
}

function valueNamed(desired: unknown, name: string): unknown {
  if (name.startsWith('k:')) return itemNamed(desired, name);
  return isJsonObject(desired) ? desired[name.slice(2)] : undefined;
}
