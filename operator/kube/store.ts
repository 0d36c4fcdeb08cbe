import { keyOf, type KubeObject } from './api.ts';

/** What happened to one key. A replaced object (same name, new UID) is two changes: gone, then there. */
export interface StoreChange {
  readonly key: string;
  /** Null: deleted. */
  readonly object: KubeObject | null;
  /** What the store held before, also for a deletion. */
  readonly previous: KubeObject | null;
}

/** A read-only copy of one kind, by `namespace/name`. As old as the last event: decide on it, never destroy by it. */
export interface Store {
  readonly size: number;
  get(key: string): KubeObject | undefined;
  list(): readonly KubeObject[];
  /** The objects to which `indexBy` gave this value, in no order; for children of one owner. */
  listIndexed(value: string): readonly KubeObject[];
}

export interface WritableStore extends Store {
  /** Takes an event in; nothing came of it when the store already held that version, or another UID is deleted. */
  take(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): readonly StoreChange[];
  /** Takes a whole list in: what it lacks is deleted. */
  replace(objects: readonly KubeObject[]): readonly StoreChange[];
}

export type IndexBy = (object: KubeObject) => string | undefined;

export function createStore(indexBy: IndexBy = () => undefined): WritableStore {
  const objects = new Map<string, KubeObject>();
  const index = new Map<string, Map<string, KubeObject>>();

  const unindex = (key: string, object: KubeObject): void => {
    const value = indexBy(object);
    if (value === undefined) return;
    const group = index.get(value);
    group?.delete(key);
    if (group?.size === 0) index.delete(value);
  };
  const put = (object: KubeObject): readonly StoreChange[] => {
    const key = keyOf(object);
    const previous = objects.get(key);
    if (previous === undefined) return add(key, object, null);
    if (previous.metadata.uid !== object.metadata.uid) {
      return [...remove(key, previous), ...add(key, object, null)];
    }
    if (previous.metadata.resourceVersion === object.metadata.resourceVersion) return [];
    unindex(key, previous);
    return add(key, object, previous);
  };
  const add = (
    key: string,
    object: KubeObject,
    previous: KubeObject | null,
  ): readonly StoreChange[] => {
    objects.set(key, object);
    const value = indexBy(object);
    if (value !== undefined) {
      const group = index.get(value) ?? new Map<string, KubeObject>();
      index.set(value, group.set(key, object));
    }
    return [{ key, object, previous }];
  };
  const remove = (key: string, previous: KubeObject): readonly StoreChange[] => {
    objects.delete(key);
    unindex(key, previous);
    return [{ key, object: null, previous }];
  };
  return {
    get size() {
      return objects.size;
    },
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    listIndexed: (value) => [...(index.get(value)?.values() ?? [])],
    take: (type, object) => {
      if (type !== 'DELETED') return put(object);
      const key = keyOf(object);
      const previous = objects.get(key);
      const isSame = previous !== undefined && previous.metadata.uid === object.metadata.uid;
      return isSame ? remove(key, previous) : [];
    },
    replace: (listed) => {
      const keys = new Set(listed.map(keyOf));
      const gone = [...objects].filter(([key]) => !keys.has(key));
      return [...gone.flatMap(([key, object]) => remove(key, object)), ...listed.flatMap(put)];
    },
  };
}
