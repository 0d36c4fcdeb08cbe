import { createHash } from 'node:crypto';
import { canonicalJson } from '../../crds/wire/json.ts';
import { InvariantError } from '../../server/core/invariant.ts';
import { keyOf, type Api, type CallOptions, type KubeObject } from './api.ts';
import { ownsExactly } from './owned-fields.ts';
import { containsFields, projectFields } from './same-fields.ts';

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
      const isAsBefore = before?.body === digest(wanted);
      const owner = { fieldManager, subresource };
      if (live !== null && isCurrent(live, wanted, before, owner)) {
        memory.set(slot, rememberedOf(live, wanted, owner));
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
      memory.set(slot, rememberedOf(object, wanted, owner));
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

function rememberedOf(object: KubeObject, wanted: Fields, owner: Owner): Remembered {
  return {
    uid: object.metadata.uid,
    body: digest(wanted),
    projection: digest(projectFields(object, wanted)),
    isOwned: ownsExactly(object, wanted, owner),
  };
}

/**
 * With a memory: nothing of ours moved since, and all of it is ours still. A key that somebody adds to an atomic map, such as
 * the selector of a Service, lies in no place of ours, but it takes the map away. Without a memory, after a start: every field
 * is there and ours.
 */
function isCurrent(
  live: KubeObject,
  wanted: Fields,
  before: Remembered | undefined,
  owner: Owner,
): boolean {
  if (before !== undefined && before.uid === live.metadata.uid) {
    return (
      before.body === digest(wanted) &&
      before.projection === digest(projectFields(live, wanted)) &&
      (!before.isOwned || ownsExactly(live, wanted, owner))
    );
  }
  return ownsExactly(live, wanted, owner) && containsFields(live, wanted);
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
