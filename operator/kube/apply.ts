import { createHash } from 'node:crypto';
import { canonicalJson } from '../../crds/wire/json.ts';
import { InvariantError } from '../../server/core/invariant.ts';
import { keyOf, type Api, type CallOptions, type KubeObject } from './api.ts';
import { ownsExactly, saysOwned } from './owned-fields.ts';
import { projectFields } from './same-fields.ts';

// Writes only what differs. An apply without change is free of events but not of calls, and a reconcile of a healthy
// object makes none: the last body, and what the server made of it, are remembered per object.

/** `Reverted`: the body was as before, the object was not, so somebody had edited it. */
export type ApplyOutcome = 'Created' | 'Changed' | 'Reverted' | 'Unchanged' | 'Skipped';

export interface Applied {
  readonly outcome: ApplyOutcome;
  /** As the server answered it; of a skipped apply, the live object. */
  readonly object: KubeObject;
}

export interface ApplyTo extends CallOptions {
  /** What the cache holds under that name; null: nothing. It must be ours (`ownershipOf`). */
  readonly live: KubeObject | null;
  readonly subresource?: 'status';
  /**
   * Only if the live object still has its version: for writes that others race for. Always so for a status, where the
   * API server does not look at the UID (1.36).
   */
  readonly isConditional?: boolean;
}

export interface Applier {
  /**
   * Applies unless the live object already says the same. A live object is written under its UID, so it is never
   * brought back to life; without one the object is created or the answer is 409, so a foreign one is never taken over.
   */
  apply(body: KubeObject, to: ApplyTo): Promise<Applied>;
  /** Drops what is remembered of an object that is gone. */
  forget(key: string): void;
}

/** No object has this version: an apply that carries it creates or conflicts (1.36). */
const CREATES_ONLY = '1';

export function createApplier(api: Api, fieldManager: string): Applier {
  const remembered = new Map<string, Map<string, Remembered>>();

  const memoryOf = (body: KubeObject): Map<string, Remembered> => {
    const key = keyOf(body);
    const memory = remembered.get(key) ?? new Map<string, Remembered>();
    remembered.set(key, memory);
    return memory;
  };
  return {
    apply: async (body, { live, subresource, isConditional, ...call }) => {
      const slot = `${body.kind}/${subresource ?? ''}`;
      const memory = memoryOf(body);
      const wanted = ownFields(body);
      const before = memory.get(slot);
      const wish: Wish = { wanted, body: digest(wanted), owner: { fieldManager, subresource } };
      const isAsBefore = before?.body === wish.body;
      const current = live === null ? null : findCurrent(live, wish, before);
      if (live !== null && current !== null) {
        memory.set(slot, current);
        return { outcome: 'Skipped', object: live };
      }
      const object = await api.apply(
        withPreconditions(body, live, isConditional === true || subresource === 'status'),
        {
          ...call,
          fieldManager,
          ...(subresource === undefined ? {} : { subresource }),
        },
      );
      memory.set(slot, rememberedOf(object, wish));
      const isRevert = isAsBefore && before.uid === object.metadata.uid;
      return { outcome: outcomeOf(live, object, isRevert), object };
    },
    forget: (key) => {
      remembered.delete(key);
    },
  };
}

function outcomeOf(
  live: KubeObject | null,
  object: KubeObject,
  isRevert: boolean,
): Exclude<ApplyOutcome, 'Skipped'> {
  if (live === null) return 'Created';
  if (live.metadata.resourceVersion === object.metadata.resourceVersion) return 'Unchanged';
  return isRevert ? 'Reverted' : 'Changed';
}

/** Digests, since a policy with its bundle is a megabyte. */
interface Remembered {
  /**
   * What was compared last. The cache keeps an object until it changes, so the same one needs no second look; one that the cache
   * has replaced, or an answer that it has told since, is not kept for this.
   */
  readonly seen: WeakRef<KubeObject>;
  readonly uid: string | undefined;
  readonly body: string;
  /** What the object said in the places of the body, right after it was applied. */
  readonly projection: string;
  /** The server listed exactly the fields of the body as ours, so that it tells when one is taken away. */
  readonly isOwned: boolean;
}

interface Owner {
  readonly fieldManager: string;
  readonly subresource: 'status' | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** What an object shall say, the digest of that, and by whom. */
interface Wish {
  readonly wanted: Fields;
  readonly body: string;
  readonly owner: Owner;
}

function rememberedOf(object: KubeObject, { wanted, body, owner }: Wish): Remembered {
  return {
    seen: new WeakRef(object),
    uid: object.metadata.uid,
    body,
    projection: digest(projectFields(object, wanted)),
    isOwned: ownsExactly(object, wanted, owner),
  };
}

/**
 * What to remember of a live object that says all that is wanted; null: it does not. With a memory: nothing of ours moved since,
 * and all of it is ours still. A key that somebody adds to an atomic map, such as the selector of a Service, lies in no place of
 * ours, but it takes the map away. Without a memory, after a start: every field is there and ours.
 */
function findCurrent(
  live: KubeObject,
  wish: Wish,
  before: Remembered | undefined,
): Remembered | null {
  if (before?.seen.deref() === live && before.body === wish.body) return before;
  const now = rememberedOf(live, wish);
  const isSame =
    before !== undefined && before.uid === live.metadata.uid
      ? isUnmoved(before, now)
      : now.isOwned && saysOwned(live, wish.wanted, wish.owner);
  return isSame ? now : null;
}

function isUnmoved(before: Remembered, now: Remembered): boolean {
  const isLost = before.isOwned && !now.isOwned;
  return before.body === now.body && before.projection === now.projection && !isLost;
}

/** The part of a body that can be owned: no name, no version. */
function ownFields(body: KubeObject): Readonly<Record<string, unknown>> {
  const { labels, annotations, ownerReferences, finalizers } = body.metadata;
  const owned = withoutAbsent({ labels, annotations, ownerReferences, finalizers });
  return withoutAbsent({
    ...body,
    apiVersion: undefined,
    kind: undefined,
    metadata: Object.keys(owned).length === 0 ? undefined : owned,
  });
}

function withoutAbsent(
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined));
}

function withPreconditions(
  body: KubeObject,
  live: KubeObject | null,
  isConditional: boolean,
): KubeObject {
  const { uid, resourceVersion } = live?.metadata ?? { resourceVersion: CREATES_ONLY };
  const conditions =
    live === null ? { resourceVersion } : { uid, ...(isConditional ? { resourceVersion } : {}) };
  return { ...body, metadata: { ...body.metadata, ...conditions } as KubeObject['metadata'] };
}

function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64');
}

/** A desired object of generated types as the raw JSON that is sent. The one cast between the two. */
export function toKubeObject(desired: {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
}): KubeObject {
  const { apiVersion, kind, metadata } = desired;
  if (apiVersion === undefined || kind === undefined || metadata?.name === undefined) {
    throw new InvariantError('a desired object names its apiVersion, kind and name');
  }
  return desired as KubeObject;
}
