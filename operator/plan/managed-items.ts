import { isJsonObject, type JsonObject } from './json-object.ts';

/**
 * The item of a list that a key of `fieldsV1` names, as in `k:{"name":"server"}`. The API server fills the protocol of
 * ports in before it writes keys, so an item without one is TCP.
 */
export function itemNamed(list: readonly unknown[], key: string): JsonObject | undefined {
  const wanted = readKey(key);
  return list
    .filter(isJsonObject)
    .find((item) =>
      Object.entries(wanted).every(
        ([field, value]) => (item[field] ?? (field === 'protocol' ? 'TCP' : undefined)) === value,
      ),
    );
}

function readKey(key: string): JsonObject {
  return JSON.parse(key.slice(2)) as JsonObject;
}
