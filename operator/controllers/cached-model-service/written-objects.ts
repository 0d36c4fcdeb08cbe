import type { KubeObject } from '../../kube/api.ts';
import type { StoreChange } from '../../kube/store.ts';

// A cache hears of our own write some time after it was answered. Until then the answer is the newer truth: without it a
// pass right after would write again, under a version that is already history.

/** Longer than a watch lags when all is well; a cache that skipped a version is believed again after that. */
const BELIEVED_MS = 5_000;

interface Written {
  /** Null: deleted. */
  readonly object: KubeObject | null;
  readonly uid: string | undefined;
  readonly untilMs: number;
  /** The cache told this version before the write was answered: it may hold a newer one since. */
  readonly isTold: boolean;
}

/** A watch is ahead of an answer by moments, and an object has few writers. */
const TOLD_VERSIONS = 4;

/** Objects of one service as their last write was answered, while the caches do not know it yet. */
export class WrittenObjects {
  readonly #written = new Map<string, Written>();
  /** The last versions that caches told, by name. */
  readonly #told = new Map<string, readonly string[]>();

  /** An apply was answered. */
  wrote(object: KubeObject, nowMs: number): void {
    const { uid, resourceVersion = '' } = object.metadata;
    const isTold = this.#told.get(nameOf(object))?.includes(resourceVersion) === true;
    this.#written.set(nameOf(object), { object, uid, untilMs: nowMs + BELIEVED_MS, isTold });
  }

  /** A deletion was answered. */
  deleted(object: KubeObject, nowMs: number): void {
    const { uid } = object.metadata;
    const untilMs = nowMs + BELIEVED_MS;
    this.#written.set(nameOf(object), { object: null, uid, untilMs, isTold: false });
  }

  /** The API server holds another version than we thought: caches are believed again. */
  forget(name: { readonly kind: string; readonly name: string }): void {
    this.#written.delete(`${name.kind}/${name.name}`);
  }

  /** A cache told a change: from our write on it knows at least as much. */
  heard({ object, previous }: StoreChange): void {
    const told = object ?? previous;
    if (told === null) return;
    this.#remember(object, told);
    const written = this.#written.get(nameOf(told));
    if (written === undefined) return;
    const isGone = object === null && previous?.metadata.uid === written.uid;
    if (isGone || isSame(written.object, object)) this.#written.delete(nameOf(told));
  }

  /** The newer of what a cache holds and what was written. */
  latest(
    name: { readonly kind: string; readonly name: string },
    cached: KubeObject | undefined,
    nowMs: number,
  ): KubeObject | null {
    const key = `${name.kind}/${name.name}`;
    const written = this.#written.get(key);
    if (written === undefined) return cached ?? null;
    if (!isKnown(written, cached) && !written.isTold && nowMs < written.untilMs) {
      return written.object;
    }
    this.#written.delete(key);
    return cached ?? null;
  }

  /** A pass is over: what caches told already is theirs again. Else a thousand new services kept each child twice until their next pass. */
  passed(): void {
    for (const [name, { isTold }] of this.#written) if (isTold) this.#written.delete(name);
  }

  /** Objects as a pass began with them, with what it wrote meanwhile in their places. */
  over(live: readonly KubeObject[]): KubeObject[] {
    const objects = new Map(live.map((object) => [nameOf(object), object]));
    for (const [name, { object }] of this.#written) {
      if (object === null) objects.delete(name);
      else objects.set(name, object);
    }
    return [...objects.values()];
  }

  /** When to look again at what the caches say; Infinity: they know everything. */
  untilMs(): number {
    const awaited = [...this.#written.values()].filter(({ isTold }) => !isTold);
    return Math.min(Infinity, ...awaited.map(({ untilMs }) => untilMs));
  }

  #remember(object: KubeObject | null, told: KubeObject): void {
    const name = nameOf(told);
    const { resourceVersion = '' } = told.metadata;
    if (object === null) this.#told.delete(name);
    else
      this.#told.set(
        name,
        [...(this.#told.get(name) ?? []), resourceVersion].slice(-TOLD_VERSIONS),
      );
  }
}

/** The cache has the write, or another object took the name: not what we wrote. */
function isKnown(written: Written, cached: KubeObject | undefined): boolean {
  if (isSame(written.object, cached ?? null)) return true;
  return cached !== undefined && cached.metadata.uid !== written.uid && written.object === null;
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}

function isSame(a: KubeObject | null, b: KubeObject | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion
  );
}
