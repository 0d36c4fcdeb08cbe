import type { LiveObject } from '../plan/live-object.ts';
import type { KindName } from './kinds.ts';

/** Raw JSON of any kind. What lies beside metadata is `unknown` until a parser has looked at it. */
export type KubeObject = LiveObject;

/** Names one object. `namespace` is absent only for kinds without one. */
export interface ObjectRef {
  readonly kind: KindName;
  readonly namespace?: string;
  readonly name: string;
}

export interface CallOptions {
  /** Ends the call; it then rejects with reason `Aborted`. */
  readonly signal?: AbortSignal;
  /** @defaultValue 30,000; a list has it for each page. The call then rejects with reason `DeadlineExceeded`. */
  readonly deadlineMs?: number;
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects per page. @defaultValue 500; less for kinds with large objects, since a page is in memory at once. */
  readonly pageSize?: number;
  /** Metadata without spec, status or data: for kinds whose bodies would fill the memory. */
  readonly metadataOnly?: boolean;
  /**
   * What to keep of an object, as its page comes, or null for nothing of it: of a long list no more is in memory at once than a
   * page and what was kept. @defaultValue all
   */
  readonly keep?: (object: KubeObject) => KubeObject | null;
}

export interface ObjectList {
  readonly items: readonly KubeObject[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly metadataOnly?: boolean;
  readonly resourceVersion: string;
  /** After this the server ends the watch, cleanly. */
  readonly timeoutSeconds: number;
  /** A watch has no deadline, only this. */
  readonly signal: AbortSignal;
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  /** Takes fields from other managers instead of answering 409. @defaultValue true */
  readonly force?: boolean;
  readonly subresource?: 'status';
  /** Everything is checked and answered, nothing is stored. */
  readonly dryRun?: boolean;
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

export interface PatchOptions extends WriteOptions {
  readonly subresource?: 'status';
}

/** What must still be true of the object; else 409. */
export interface DeleteOptions extends CallOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** @defaultValue 'Background'; always sent, since the default of the API differs by kind. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
}

/**
 * The API server, as little of it as controllers need. Bodies are JSON as sent; every failure is an `ApiStatusError`,
 * also no answer at all. Reads are consistent. A write that failed with `isUncertain` may have happened: read before
 * repeating it.
 */
export interface Api {
  get(ref: ObjectRef, options?: CallOptions): Promise<KubeObject>;
  /** All pages. Items carry apiVersion and kind, which the API server leaves out for its own kinds. */
  list(kind: KindName, options?: ListOptions): Promise<ObjectList>;
  /**
   * Calls `onEvent` for every event until the server ends the watch cleanly. Rejects on an ERROR event, a torn
   * connection, an unreadable line, an abort, and with what `onEvent` throws. Bookmarks are asked for.
   */
  watch(kind: KindName, options: WatchOptions, onEvent: (event: WatchEvent) => void): Promise<void>;
  create(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** Server-side apply: the body is all this manager wants to own. */
  apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  /** The whole object, under its resourceVersion. */
  replace(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** JSON merge patch: for series of events, nowhere else. */
  mergePatch(
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    options?: PatchOptions,
  ): Promise<KubeObject>;
  /** An object that is gone already is an outcome, not an error. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<'Deleted' | 'Gone'>;
}

/** `namespace/name`, or the name alone for kinds without a namespace: the key of queues and stores. */
export function keyOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined
    ? metadata.name
    : `${metadata.namespace}/${metadata.name}`;
}

export function refOf(object: KubeObject): ObjectRef {
  const { name, namespace } = object.metadata;
  // The table's keys are the kinds' own names.
  const kind = object.kind as KindName;
  return namespace === undefined ? { kind, name } : { kind, namespace, name };
}
