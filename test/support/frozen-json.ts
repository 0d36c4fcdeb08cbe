// JSON values that are shared: frozen to the bottom, and compared without writing them down.
import { isRecord } from '../../operator/kube/same-fields.ts';

/** The value itself, which nobody can change any more, nor anything in it. What is frozen already is so to its bottom. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

/** Whether two values have the same canonical JSON: fields in any order, and one that is undefined is none. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item, i) => isSameJson(item, b[i]))
    );
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const names = fieldsOf(a);
  return names.length === fieldsOf(b).length && names.every((name) => isSameJson(a[name], b[name]));
}

function fieldsOf(value: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(value).filter((name) => value[name] !== undefined);
}
