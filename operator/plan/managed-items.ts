import { isJsonObject, type JsonObject } from './json-object.ts';

/**
 * Whether a name in `fieldsV1` means an item of a list: `k:{"name":"server"}` by its keys, `v:"x"` by its value. The API
 * server fills the protocol of ports in before it writes keys, so an item without one is TCP.
 */
export function namesItem(name: string, item: unknown): boolean {
  const wanted = JSON.parse(name.slice(2)) as unknown;
  if (!isJsonObject(wanted)) return item === wanted;
  return (
    isJsonObject(item) && Object.entries(wanted).every(([key, value]) => keyOf(item, key) === value)
  );
}

function keyOf(item: JsonObject, key: string): unknown {
  return item[key] ?? (key === 'protocol' ? 'TCP' : undefined);
}
