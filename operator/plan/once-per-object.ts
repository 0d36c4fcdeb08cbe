/**
 * Reads an object once, however often it is asked: what caches and the API server give is never changed, so the answer stays. A pass
 * asks several times, and most passes find the objects of the one before.
 */
export function oncePerObject<O extends object, T>(read: (object: O) => T): (object: O) => T {
  const known = new WeakMap<O, { readonly value: T }>();
  return (object) => {
    const found = known.get(object) ?? { value: read(object) };
    known.set(object, found);
    return found.value;
  };
}
