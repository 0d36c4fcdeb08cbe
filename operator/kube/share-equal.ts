import { isRecord } from './same-fields.ts';

/**
 * `next` with every part that equals the part of `like` in the same place being that part itself: a thousand objects that say the
 * same in most places hold it once. JSON values, which nobody changes afterwards; keys in another order are another value.
 * @returns `like` itself where all is equal.
 */
export function shareEqual<T>(next: T, like: unknown): T {
  if (next === like) return like as T;
  if (Array.isArray(next)) return Array.isArray(like) ? (shareItems(next, like) as T) : next;
  return isRecord(next) && isRecord(like) ? (shareFields(next, like) as T) : next;
}

function shareItems(next: readonly unknown[], like: readonly unknown[]): readonly unknown[] {
  const items = next.map((item, i) => shareEqual(item, like[i]));
  const isEqual = items.length === like.length && items.every((item, i) => item === like[i]);
  return isEqual ? like : items;
}

type Fields = Readonly<Record<string, unknown>>;

function shareFields(next: Fields, like: Fields): Fields {
  const keys = Object.keys(next);
  const likeKeys = Object.keys(like);
  let isEqual = keys.length === likeKeys.length;
  // A copy of the same shape, which costs no memory of its own beside its fields.
  const shared: Record<string, unknown> = { ...next };
  keys.forEach((key, i) => {
    // Set by assignment it would be the prototype.
    const field = key === '__proto__' ? next[key] : shareEqual(next[key], like[key]);
    if (key !== '__proto__') shared[key] = field;
    isEqual &&= key === likeKeys[i] && field === like[key];
  });
  return isEqual ? like : shared;
}
