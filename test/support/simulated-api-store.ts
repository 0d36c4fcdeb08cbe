// The API server's store: one object under one key, a version per write, a log that watches read.
import {
  keyOf,
  type KubeObject,
  type ObjectRef,
  type WriteOptions,
} from '../../operator/kube/api.ts';
import type { ApplyOptions, DeleteOptions, PatchOptions } from '../../operator/kube/api.ts';
import { ApiStatusError } from '../../operator/kube/api-status-error.ts';
import type { KubeClock } from '../../operator/kube/clock.ts';
import { KINDS, type KindName } from '../../operator/kube/kinds.ts';
import { isRecord } from '../../operator/kube/same-fields.ts';
import {
  appliedBy,
  createdBy,
  isSameObject,
  isSameSpec,
  newObject,
  toAnswer,
  updatedBy,
  type Stored,
  type Writer,
} from './simulated-api-objects.ts';
import {
  invalidCauses,
  simulatedKinds,
  untyped,
  type SimulatedKind,
} from './simulated-api-schema.ts';

/** One write, as watches tell it. */
export interface Change {
  readonly version: number;
  readonly kind: KindName;
  readonly object: KubeObject;
  readonly previous: KubeObject | null;
  readonly isDeletion: boolean;
}

/** Causes for which a body is refused, beyond its schema: rules, quotas. Empty: none. */
export type Validate = (object: KubeObject, previous: KubeObject | null) => readonly string[];

export interface StoreOptions {
  readonly clock: KubeClock;
  readonly validate?: Validate | undefined;
}

/** Between a deletion and the deletion of what it owned (1.36: 185 ms). */
const GARBAGE_MS = 185;
const MAX_DATA_BYTES = 1_048_576;
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const DEFAULT_MANAGER = 'layercache-operator';

type Namespace = 'Active' | 'Terminating';

export class SimulatedStore {
  readonly log: Change[] = [];
  /** Watches from before this version are told that it expired. */
  oldest = 0;
  version = 1_000;
  readonly #kinds = simulatedKinds();
  readonly #absentKinds = new Set<KindName>();
  readonly #namespaces = new Map<string, Namespace>();
  readonly #objects = new Map<string, Stored>();
  readonly #absenceListeners = new Map<KindName, Set<() => void>>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #options: StoreOptions;
  #uids = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onAbsent(kind: KindName, listener: () => void): () => void {
    const waiting = this.#absenceListeners.get(kind) ?? new Set<() => void>();
    this.#absenceListeners.set(kind, waiting.add(listener));
    return () => waiting.delete(listener);
  }

  /** The objects of a kind as they were at a version, read from the log. */
  listAt(kind: KindName, version: number): readonly KubeObject[] {
    const objects = new Map<string, KubeObject>();
    for (const change of this.log) {
      if (change.kind !== kind || change.version > version) continue;
      if (change.isDeletion) objects.delete(keyOf(change.object));
      else objects.set(keyOf(change.object), change.object);
    }
    return [...objects.values()];
  }

  all(kind?: KindName): readonly KubeObject[] {
    return [...this.#objects.values()]
      .filter(({ object }) => kind === undefined || object.kind === kind)
      .map((stored) => this.#answer(stored));
  }

  setNamespace(name: string, state: Namespace): void {
    this.#namespaces.set(name, state);
    if (state === 'Active') return;
    for (const { object } of this.#objects.values()) {
      if (object.metadata.namespace === name) this.#collect(object);
    }
  }

  setKind(kind: KindName, isPresent: boolean): void {
    if (isPresent) {
      this.#absentKinds.delete(kind);
      return;
    }
    for (const { object } of [...this.#objects.values()])
      if (object.kind === kind) this.#remove(object);
    this.#absentKinds.add(kind);
    for (const listener of [...(this.#absenceListeners.get(kind) ?? [])]) listener();
  }

  isPresent(kind: KindName): boolean {
    return !this.#absentKinds.has(kind);
  }

  /** What one may keep and come back to, as a backup of etcd. */
  snapshot(): () => void {
    const objects = [...this.#objects];
    const { version } = this;
    const { length } = this.log;
    return () => {
      this.#objects.clear();
      for (const [key, stored] of objects) this.#objects.set(key, stored);
      this.version = version;
      // What came after never happened: no watch that opens is told of it.
      this.log.length = length;
      for (const listeners of this.#absenceListeners.values())
        for (const end of [...listeners]) end();
    };
  }

  get(ref: ObjectRef): KubeObject {
    return this.#answer(this.#existing('get', ref));
  }

  list(kind: KindName): readonly KubeObject[] {
    if (!this.isPresent(kind)) throw refuse(404, 'NotFound', `list ${kind}`);
    const found = [...this.#objects.values()].filter(({ object }) => object.kind === kind);
    const sorted = found.sort((a, b) => (keyOf(a.object) < keyOf(b.object) ? -1 : 1));
    return sorted.map((stored) => this.#answer(stored));
  }

  create(body: KubeObject, { fieldManager, dryRun }: WriteOptions = {}): KubeObject {
    const call = `create ${body.kind} ${keyOf(body)}`;
    this.#admit(body, call);
    if (body.metadata.resourceVersion !== undefined && body.metadata.resourceVersion !== '') {
      throw refuse(500, '', call);
    }
    const kind = this.#kinds[body.kind as KindName];
    const object = newObject(kind, body);
    this.#check(object, null, call);
    if (this.#objects.has(idOf(body))) throw refuse(409, 'AlreadyExists', call);
    const writer: Writer = { manager: fieldManager ?? DEFAULT_MANAGER, subresource: '' };
    return this.#put(createdBy(kind, object, writer), null, dryRun);
  }

  apply(body: KubeObject, options: ApplyOptions): KubeObject {
    const call = `apply ${body.kind} ${keyOf(body)}`;
    const kind = this.#kinds[body.kind as KindName];
    expectTyped(body, kind, call);
    const live = this.#objects.get(idOf(body)) ?? null;
    if (live === null) this.#expectCreatable(body, options, call);
    else this.#expectSame(body, live, options, call);
    const { fieldManager: manager, subresource = '' } = options;
    const { stored, conflicts } = appliedBy(kind, live, body, { manager, subresource });
    if (options.force === false && conflicts > 0) {
      const causes = new Array<string>(conflicts).fill('FieldManagerConflict');
      throw refuse(409, 'Conflict', call, { causes });
    }
    this.#check(stored.object, live?.object ?? null, call);
    return this.#put(stored, live, options.dryRun);
  }

  #expectCreatable(body: KubeObject, options: ApplyOptions, call: string): void {
    if (options.subresource === 'status') throw refuse(404, 'NotFound', call);
    this.#admit(body, call);
    if (body.metadata.uid !== undefined) throw refuse(409, 'Conflict', call);
  }

  #expectSame(body: KubeObject, live: Stored, { subresource }: ApplyOptions, call: string): void {
    this.#expectVersion(body, live, call);
    const { uid } = body.metadata;
    // Metadata of a status write is dropped before anybody compares it.
    if (subresource === 'status' || uid === undefined || uid === live.object.metadata.uid) return;
    throw refuse(422, 'Invalid', call, { causes: ['FieldValueInvalid', 'FieldValueInvalid'] });
  }

  replace(body: KubeObject, options: WriteOptions = {}): KubeObject {
    const call = `replace ${body.kind} ${keyOf(body)}`;
    // Leases may be created by a replacement, so one that carries a version loses to their absence.
    if (body.kind === 'Lease' && !this.#objects.has(idOf(body)))
      throw refuse(409, 'Conflict', call);
    const live = this.#existing(call, refTo(body));
    if (
      body.metadata.resourceVersion === undefined &&
      this.#kinds[body.kind as KindName].isCustom
    ) {
      throw refuse(422, 'Invalid', call, { causes: ['FieldValueInvalid'] });
    }
    this.#expectVersion(body, live, call);
    return this.#update(live, body, { ...options, call });
  }

  mergePatch(
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    options: PatchOptions = {},
  ): KubeObject {
    const call = `patch ${ref.kind} ${ref.name}`;
    const live = this.#existing(call, ref);
    const body = merged(live.object, patch) as KubeObject;
    this.#expectVersion(body, live, call);
    return this.#update(live, body, { ...options, call });
  }

  delete(ref: ObjectRef, options: DeleteOptions = {}): 'Deleted' | 'Gone' {
    const call = `delete ${ref.kind} ${ref.name}`;
    if (!this.isPresent(ref.kind)) return 'Gone';
    const live = this.#objects.get(idOfRef(ref));
    if (live === undefined) return 'Gone';
    const { uid, resourceVersion } = live.object.metadata;
    const isUnlike =
      (options.uid ?? uid) !== uid ||
      (options.resourceVersion ?? resourceVersion) !== resourceVersion;
    if (isUnlike) throw refuse(409, 'Conflict', call);
    if (options.propagation === 'Orphan') this.#orphan(live.object);
    this.#collect(live.object);
    return 'Deleted';
  }

  #update(
    live: Stored,
    body: KubeObject,
    options: PatchOptions & { readonly call: string },
  ): KubeObject {
    const kind = this.#kinds[body.kind as KindName];
    const writer: Writer = {
      manager: options.fieldManager ?? DEFAULT_MANAGER,
      subresource: options.subresource ?? '',
    };
    const stored = updatedBy(kind, live, body, writer);
    this.#check(stored.object, live.object, options.call);
    const { deletionTimestamp, finalizers } = stored.object.metadata;
    if (deletionTimestamp !== undefined && finalizers === undefined && options.dryRun !== true) {
      // The write that removes the last finalizer is the deletion.
      this.#objects.set(idOf(body), stored);
      this.#remove(stored.object);
      return this.#answer(stored);
    }
    return this.#put(stored, live, options.dryRun);
  }

  #existing(call: string, ref: ObjectRef): Stored {
    const stored = this.#objects.get(idOfRef(ref));
    if (stored === undefined) throw refuse(404, 'NotFound', `${call} ${ref.name}`);
    return stored;
  }

  /** Whether anything may be created there. */
  #admit({ kind, metadata }: KubeObject, call: string): void {
    if (!this.isPresent(kind as KindName)) throw refuse(404, 'NotFound', call);
    if (metadata.namespace === undefined) return;
    const state = this.#namespaces.get(metadata.namespace);
    if (state === undefined) throw refuse(404, 'NotFound', call);
    if (state === 'Terminating')
      throw refuse(403, 'Forbidden', call, { causes: ['NamespaceTerminating'] });
  }

  #expectVersion(body: KubeObject, live: Stored, call: string): void {
    const wanted = body.metadata.resourceVersion;
    if (wanted !== undefined && wanted !== live.object.metadata.resourceVersion)
      throw refuse(409, 'Conflict', call);
  }

  #check(object: KubeObject, previous: KubeObject | null, call: string): void {
    const kind = this.#kinds[object.kind as KindName];
    const broken = invalidCauses(object, kind.schema);
    // The API server adds that rules were not looked at.
    const causes = broken.length > 0 ? [...broken, 'FieldValueInvalid'] : rulesOf(object, previous);
    const all = causes.length > 0 ? causes : (this.#options.validate?.(object, previous) ?? []);
    if (all.includes('MicroTime')) throw refuse(400, 'BadRequest', call);
    if (all.length > 0) throw refuse(422, 'Invalid', call, { causes: all });
  }

  #put(stored: Stored, live: Stored | null, dryRun = false): KubeObject {
    const { object } = stored;
    if (live !== null && isNoWrite(stored, live)) return this.#answer(live);
    if (!dryRun) this.version += 1;
    const kind = this.#kinds[object.kind as KindName];
    const metadata = {
      ...object.metadata,
      ...(live === null ? { uid: this.#uid(), creationTimestamp: this.#now() } : {}),
      ...(kind.hasGeneration ? { generation: generationOf(object, live?.object) } : {}),
      ...(dryRun ? {} : { resourceVersion: String(this.version) }),
    };
    const next: Stored = {
      ...stored,
      isUnstored: isUnstored(live, kind),
      object: { ...object, metadata },
    };
    if (dryRun) return this.#answer(next);
    this.#objects.set(idOf(object), next);
    this.#tell(next, live, false);
    this.#collectLater(next.object);
    return this.#answer(next);
  }

  /** A child whose owners are all gone is collected, also one that was made too late. */
  #collectLater(object: KubeObject): void {
    if ((object.metadata.ownerReferences ?? []).length === 0) return;
    if (this.#livingOwners(object).length === (object.metadata.ownerReferences ?? []).length)
      return;
    this.#options.clock.schedule(GARBAGE_MS, () => {
      this.#collectOrphaned(object.metadata.uid ?? '');
    });
  }

  #collectOrphaned(uid: string): void {
    const stored = [...this.#objects.values()].find(({ object }) => object.metadata.uid === uid);
    const references = stored?.object.metadata.ownerReferences ?? [];
    if (stored === undefined || references.length === 0) return;
    const living = this.#livingOwners(stored.object);
    if (living.length === 0) this.#collect(stored.object);
    else if (living.length < references.length) this.#setOwners(stored, living);
  }

  #livingOwners({ metadata }: KubeObject): NonNullable<KubeObject['metadata']['ownerReferences']> {
    const uids = new Set([...this.#objects.values()].map(({ object }) => object.metadata.uid));
    return (metadata.ownerReferences ?? []).filter(({ uid }) => uids.has(uid));
  }

  #setOwners(stored: Stored, ownerReferences: readonly unknown[]): void {
    const metadata = { ...stored.object.metadata, ownerReferences };
    this.#update(stored, { ...stored.object, metadata } as unknown as KubeObject, {
      call: 'collect',
      fieldManager: 'kube-controller-manager',
    });
  }

  #orphan({ metadata }: KubeObject): void {
    for (const stored of [...this.#objects.values()]) {
      const references = stored.object.metadata.ownerReferences ?? [];
      const left = references.filter(({ uid }) => uid !== metadata.uid);
      if (left.length < references.length) this.#setOwners(stored, left);
    }
  }

  /** Deletes, or marks what a finalizer holds. */
  #collect(object: KubeObject): void {
    const stored = this.#objects.get(idOf(object));
    if (stored === undefined) return;
    const { finalizers = [], deletionTimestamp } = stored.object.metadata;
    if (finalizers.length === 0) {
      this.#remove(stored.object);
      return;
    }
    if (deletionTimestamp !== undefined) return;
    const metadata = {
      ...stored.object.metadata,
      deletionTimestamp: this.#now(),
      deletionGracePeriodSeconds: 0,
    };
    const kind = this.#kinds[object.kind as KindName];
    this.version += 1;
    const marked = {
      ...metadata,
      resourceVersion: String(this.version),
      ...(kind.hasGeneration ? { generation: (metadata.generation ?? 0) + 1 } : {}),
    };
    const next = { ...stored, object: { ...stored.object, metadata: marked } };
    this.#objects.set(idOf(object), next);
    this.#tell(next, stored, false);
  }

  #remove(object: KubeObject): void {
    const stored = this.#objects.get(idOf(object));
    if (stored === undefined) return;
    this.#objects.delete(idOf(object));
    this.version += 1;
    const metadata = { ...stored.object.metadata, resourceVersion: String(this.version) };
    this.#tell({ ...stored, object: { ...stored.object, metadata } }, stored, true);
    for (const child of [...this.#objects.values()]) {
      const owners = child.object.metadata.ownerReferences ?? [];
      if (owners.some(({ uid }) => uid === object.metadata.uid)) this.#collectLater(child.object);
    }
  }

  #tell(stored: Stored, live: Stored | null, isDeletion: boolean): void {
    const change: Change = {
      version: this.version,
      kind: stored.object.kind as KindName,
      object: this.#answer(stored),
      previous: live === null ? null : this.#answer(live),
      isDeletion,
    };
    this.log.push(change);
    for (const listener of [...this.#listeners]) listener(change);
  }

  #answer(stored: Stored): KubeObject {
    return toAnswer(stored);
  }

  #uid(): string {
    this.#uids += 1;
    return `00000000-0000-4000-8000-${String(this.#uids).padStart(12, '0')}`;
  }

  #now(): string {
    return `${new Date(this.#options.clock.nowMs()).toISOString().slice(0, 19)}Z`;
  }
}

export function refuse(
  status: number,
  reason: string,
  call: string,
  { detail = 'simulated', causes = [] }: { detail?: string; causes?: readonly string[] } = {},
): ApiStatusError {
  const list = causes.map((cause) => ({ reason: cause, field: '', message: '' }));
  return new ApiStatusError({ status, reason, detail, call, causes: list });
}

/** Rules of built-in kinds that our writes can meet. */
function rulesOf(object: KubeObject, previous: KubeObject | null): readonly string[] {
  switch (object.kind) {
    case 'ConfigMap':
      return configMapRules(object, previous);
    case 'Lease':
      return leaseRules(object);
    case 'Event':
      return eventRules(object, previous);
    default:
      return [];
  }
}

function configMapRules(object: KubeObject, previous: KubeObject | null): readonly string[] {
  const { data = {}, binaryData = {} } = object as {
    data?: Record<string, string>;
    binaryData?: Record<string, string>;
  };
  const text = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  const binary = Object.values(binaryData).reduce(
    (sum, value) => sum + Buffer.byteLength(value, 'base64'),
    0,
  );
  if (text + binary > MAX_DATA_BYTES) return ['FieldValueTooLong'];
  if (previous?.immutable !== true) return [];
  const fields = ({ data: d, binaryData: b, immutable }: KubeObject): string =>
    JSON.stringify([d, b, immutable]);
  return fields(object) === fields(previous) ? [] : ['FieldValueForbidden'];
}

function leaseRules(object: KubeObject): readonly string[] {
  const spec = (object.spec ?? {}) as Readonly<Record<string, unknown>>;
  const times = [spec.renewTime, spec.acquireTime].filter((time) => time !== undefined);
  if (times.some((time) => typeof time !== 'string' || !MICRO_TIME.test(time)))
    return ['MicroTime'];
  return spec.holderIdentity === '' ? ['FieldValueInvalid'] : [];
}

function eventRules(object: KubeObject, previous: KubeObject | null): readonly string[] {
  if (typeof object.eventTime !== 'string' || !MICRO_TIME.test(object.eventTime))
    return ['MicroTime'];
  const fixed = (event: KubeObject): string =>
    JSON.stringify({ ...event, series: undefined, metadata: undefined });
  return previous === null || fixed(object) === fixed(previous) ? [] : ['FieldValueInvalid'];
}

function isNoWrite(stored: Stored, live: Stored): boolean {
  return live.isUnstored !== true && isSameObject(stored, live);
}

function isUnstored(live: Stored | null, { schema }: SimulatedKind): boolean {
  return live === null && schema.properties?.status?.default !== undefined;
}

function generationOf(object: KubeObject, previous: KubeObject | undefined): number {
  if (previous === undefined) return 1;
  return (previous.metadata.generation ?? 0) + (isSameSpec(object, previous) ? 0 : 1);
}

/** What an apply checks before it looks at the object. */
function expectTyped(body: KubeObject, { schema }: SimulatedKind, call: string): void {
  if (body.metadata.managedFields !== undefined) throw refuse(400, 'BadRequest', call);
  const fields = Object.entries(body).filter(([field]) => !IDENTITY.has(field));
  const problem = untyped(Object.fromEntries(fields), schema);
  if (problem === null) return;
  throw refuse(500, '', call, { detail: `failed to create typed patch object: ${problem}` });
}

const IDENTITY = new Set(['apiVersion', 'kind', 'metadata']);

function refTo({ kind, metadata }: KubeObject): ObjectRef {
  return {
    kind: kind as KindName,
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  };
}

const idOf = ({ kind, metadata }: KubeObject): string =>
  `${kind}|${metadata.namespace ?? ''}|${metadata.name}`;
const idOfRef = ({ kind, namespace, name }: ObjectRef): string =>
  `${KINDS[kind].kind}|${namespace ?? ''}|${name}`;

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result = new Map(isRecord(target) ? Object.entries(target) : []);
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) result.delete(field);
    else result.set(field, merged(result.get(field), value));
  }
  return Object.fromEntries(result);
}
