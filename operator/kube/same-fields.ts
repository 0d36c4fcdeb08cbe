// Comparisons of what was wanted with what is there, on JSON values.

type Json = unknown;

export function isRecord(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What `live` has in the places that `wanted` names: maps by their keys, lists and scalars whole. */
export function projectFields(live: Json, wanted: Json): Json {
  if (!isRecord(wanted)) return live;
  const there = isRecord(live) ? live : {};
  return Object.fromEntries(
    Object.keys(wanted).map((key) => [key, projectFields(there[key], wanted[key])]),
  );
}

/** Whether `live` says everything that `wanted` says; lists must have the same length. Other spellings of a value differ. */
export function containsFields(live: Json, wanted: Json): boolean {
  if (wanted === undefined) return true;
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) &&
      live.length === wanted.length &&
      wanted.every((item, i) => containsFields(live[i], item))
    );
  }
  if (!isRecord(wanted)) return live === wanted;
  return (
    isRecord(live) &&
    Object.entries(wanted).every(([key, field]) => containsFields(live[key], field))
  );
}
