// What one write makes of one object: pure, after the API server's rules that the conformance table lists.
import { isRecord } from '../../operator/kube/same-fields.ts';
import type { KubeObject } from '../../operator/kube/api.ts';
import type { ObjectMeta } from '../../operator/plan/live-object.ts';
import { oncePerObject } from '../../operator/plan/once-per-object.ts';
import {
  changedFields,
  fieldValues,
  innerPaths,
  mergeFields,
  removeFields,
  toFieldsV1,
  type FieldSet,
  type FieldValues,
} from './simulated-api-fields.ts';
import { frozen, isSameJson } from './frozen-json.ts';
import { pruneAndDefault, type SimulatedKind } from './simulated-api-schema.ts';

/** One owner of fields. */
export interface Ownership {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: '' | 'status';
  readonly fields: FieldSet;
}

/** An object as stored: without managed fields, which are kept as sets. */
export interface Stored {
  readonly object: KubeObject;
  readonly owners: readonly Ownership[];
  /** Its default status is shown but not stored yet: the next write makes a version even without a change. */
  readonly isUnstored?: boolean;
}

export interface Writer {
  readonly manager: string;
  readonly subresource: '' | 'status';
}

/** The body with what the kind adds and drops; before it is stored for the first time. */
export function newObject(kind: SimulatedKind, body: KubeObject): KubeObject {
  return normal(kind, kind.hasStatus ? { ...body, status: undefined } : body);
}

/** A first write that was no apply. */
export function createdBy(kind: SimulatedKind, object: KubeObject, writer: Writer): Stored {
  const fields = new Set(fieldValues(ownable(object, ''), kind.schema, true).keys());
  // A default of the schema is nobody's; the API server makes it after it has counted fields.
  for (const path of fields) if (path.startsWith('f:status')) fields.delete(path);
  return { object, owners: withOwner([], { ...writer, operation: 'Update', fields }) };
}

/** A write of the whole object, or of what a patch made of it. */
export function updatedBy(
  kind: SimulatedKind,
  live: Stored,
  body: KubeObject,
  writer: Writer,
): Stored {
  const object = normal(kind, onlyPart(kind, live.object, body, writer.subresource));
  const before = storedValues(kind, live.object, true);
  const after = fieldValues(ownable(object, null), kind.schema, true);
  const changed = changedFields(before, after);
  // Nobody owns fields of an object that lost its last owner, until somebody applies.
  if (live.owners.length === 0) return { object, owners: [] };
  const kept = live.owners.map((owner) => {
    const isWriter = isSame(owner, { ...writer, operation: 'Update' });
    return keptBy(owner, (path) => after.has(path) && (isWriter || !changed.has(path)));
  });
  const own = kept.find((owner) => isSame(owner, { ...writer, operation: 'Update' }));
  const fields = sameSet(own?.fields, new Set([...(own?.fields ?? []), ...changed]));
  return { object, owners: withOwner(kept, { ...writer, operation: 'Update', fields }) };
}

export interface AppliedBody {
  readonly stored: Stored;
  /** How many fields others own that this body sets otherwise. */
  readonly conflicts: number;
}

/** A server-side apply; conflicts are taken over, unless the caller refuses them. */
export function appliedBy(
  kind: SimulatedKind,
  live: Stored | null,
  body: KubeObject,
  writer: Writer,
): AppliedBody {
  const wanted = ownable(body, writer.subresource);
  const fields = new Set(fieldValues(wanted, kind.schema, false).keys());
  const mine = { ...writer, operation: 'Apply' as const };
  if (live === null) {
    const object = newObject(kind, body);
    return { stored: { object, owners: withOwner([], { ...mine, fields }) }, conflicts: 0 };
  }
  const liveFields = ownable(live.object, null);
  const merged = mergeFields(liveFields, wanted, kind.schema);
  const changed = changedFields(
    storedValues(kind, live.object, false),
    fieldValues(merged, kind.schema, false),
  );
  const owners = live.owners.length === 0 ? [beforeFirstApply(kind, live.object)] : live.owners;
  const others = owners.filter((owner) => !isSame(owner, mine));
  const taken = others.flatMap(({ fields: theirs }) =>
    [...theirs].filter((path) => changed.has(path)),
  );
  const left = others.map((owner) => keptBy(owner, (path) => !changed.has(path)));
  const previous = owners.find((owner) => isSame(owner, mine))?.fields ?? new Set<string>();
  const result = removeFields(merged, kind.schema, givenUp(previous, fields, left)) as KubeObject;
  const object = normal(
    kind,
    onlyPart(kind, live.object, withIdentity(live.object, result), writer.subresource),
  );
  return {
    stored: { object, owners: withOwner(left, { ...mine, fields: sameSet(previous, fields) }) },
    conflicts: taken.length,
  };
}

/** The owner without the paths that it loses; itself when it loses none. */
function keptBy(owner: Ownership, isKept: (path: string) => boolean): Ownership {
  const fields = new Set([...owner.fields].filter(isKept));
  return fields.size === owner.fields.size ? owner : { ...owner, fields };
}

/** The set of before if it is equal: what is known of it need not be found out again. */
function sameSet(before: FieldSet | undefined, fields: FieldSet): FieldSet {
  return before !== undefined && isSameSet(before, fields) ? before : fields;
}

/** Of a stored object, which never changes: it is compared with every body that is sent for it. */
function storedValues(
  kind: SimulatedKind,
  object: KubeObject,
  hasContainers: boolean,
): FieldValues {
  const known = hasContainers ? valuesWithContainers : valuesWithout;
  const values =
    known.get(object) ?? fieldValues(ownable(object, null), kind.schema, hasContainers);
  known.set(object, values);
  return values;
}

const valuesWithContainers = new WeakMap<KubeObject, FieldValues>();
const valuesWithout = new WeakMap<KubeObject, FieldValues>();

/** What the manager had and no longer names, and nobody else has, nor anything below it. */
function givenUp(previous: FieldSet, fields: FieldSet, others: readonly Ownership[]): FieldSet {
  const inner = innerPathsOf(fields);
  const held = others.map((owner) => ({ fields: owner.fields, inner: innerPathsOf(owner.fields) }));
  return new Set(
    [...previous].filter(
      (path) =>
        !fields.has(path) &&
        !inner.has(path) &&
        held.every((other) => !other.fields.has(path) && !other.inner.has(path)),
    ),
  );
}

function beforeFirstApply(kind: SimulatedKind, object: KubeObject): Ownership {
  const fields = new Set(fieldValues(ownable(object, null), kind.schema, true).keys());
  return { manager: 'before-first-apply', operation: 'Update', subresource: '', fields };
}

/** Whether two states differ in more than who wrote last. */
export function isSameObject(a: Stored, b: Stored): boolean {
  return isSameJson(a.object, b.object) && haveSameOwners(a, b);
}

/** Spec and all else that makes a generation. */
export function isSameSpec(a: KubeObject, b: KubeObject): boolean {
  const spec = (object: KubeObject): unknown => ({
    ...object,
    metadata: undefined,
    status: undefined,
  });
  return isSameJson(spec(a), spec(b));
}

function haveSameOwners({ owners: a }: Stored, { owners: b }: Stored): boolean {
  return (
    a.length === b.length &&
    a.every((owner) => {
      const other = b.find((one) => isSame(one, owner));
      return other !== undefined && isSameSet(owner.fields, other.fields);
    })
  );
}

function isSameSet(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const path of a) if (!b.has(path)) return false;
  return true;
}

/** Sets are never changed, and an object is answered far more often than it is written. */
const fieldsV1Of = oncePerObject(toFieldsV1);
const innerPathsOf = oncePerObject(innerPaths);

const answers = new WeakMap<Stored, KubeObject>();

/** The object as answered, frozen: all who read it share it, and who changes what was read is told by a throw. */
export function toAnswer(stored: Stored): KubeObject {
  const known = answers.get(stored);
  if (known !== undefined) return known;
  const answer = frozen(withManagedFields(stored));
  answers.set(stored, answer);
  return answer;
}

function withManagedFields({ object, owners }: Stored): KubeObject {
  if (owners.length === 0) return object;
  const managedFields = owners.map(({ manager, operation, subresource, fields }) => ({
    manager,
    operation,
    apiVersion: object.apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: fieldsV1Of(fields),
    ...(subresource === '' ? {} : { subresource }),
  }));
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

function withOwner(owners: readonly Ownership[], owner: Ownership): readonly Ownership[] {
  const others = owners.filter((other) => !isSame(other, owner));
  return [...others, owner].filter(
    ({ fields, operation }) => fields.size > 0 || (operation === 'Apply' && fields.size > 0),
  );
}

function isSame(a: Omit<Ownership, 'fields'>, b: Omit<Ownership, 'fields'>): boolean {
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource;
}

/** The fields that can be owned: of one subresource, or of both with null. */
function ownable(
  object: KubeObject,
  subresource: '' | 'status' | null,
): Readonly<Record<string, unknown>> {
  if (subresource === 'status') return { status: object.status };
  const { labels, annotations, ownerReferences, finalizers } = object.metadata;
  const metadata = { labels, annotations, ownerReferences, finalizers };
  const isBare = Object.values(metadata).every((field) => field === undefined);
  return {
    ...object,
    apiVersion: undefined,
    kind: undefined,
    metadata: isBare ? undefined : metadata,
    ...(subresource === '' ? { status: undefined } : {}),
  };
}

function withIdentity(live: KubeObject, fields: KubeObject): KubeObject {
  const fixed = { labels: undefined, annotations: undefined, ownerReferences: undefined };
  return {
    ...fields,
    apiVersion: live.apiVersion,
    kind: live.kind,
    metadata: {
      ...live.metadata,
      ...fixed,
      finalizers: undefined,
      ...(fields.metadata as Partial<ObjectMeta> | undefined),
    } as unknown as ObjectMeta,
  };
}

/** A status write leaves all else as it is; a main write leaves the status. */
function onlyPart(
  kind: SimulatedKind,
  live: KubeObject,
  body: KubeObject,
  subresource: '' | 'status',
): KubeObject {
  if (subresource === 'status') return { ...live, status: body.status };
  const { uid, creationTimestamp, deletionTimestamp, generation, resourceVersion } = live.metadata;
  const grace = (live.metadata as { deletionGracePeriodSeconds?: number })
    .deletionGracePeriodSeconds;
  const kept = {
    uid,
    creationTimestamp,
    deletionTimestamp,
    generation,
    resourceVersion,
    deletionGracePeriodSeconds: grace,
  };
  return {
    ...body,
    metadata: { ...body.metadata, ...kept, managedFields: undefined } as unknown as ObjectMeta,
    ...(kind.hasStatus ? { status: live.status } : {}),
  };
}

/** As stored: defaults in, what built-in kinds leave out when empty out, nothing undefined. */
function normal(kind: SimulatedKind, object: KubeObject): KubeObject {
  const { metadata, ...rest } = object;
  const fields = pruneAndDefault(rest, withIdentityFields(kind)) as Readonly<
    Record<string, unknown>
  >;
  const clean = kind.isCustom ? fields : withoutEmpty(fields);
  const kept = withoutEmpty({ ...metadata, managedFields: undefined });
  return { ...clean, metadata: kept } as unknown as KubeObject;
}

function withIdentityFields(kind: SimulatedKind): SimulatedKind['schema'] {
  const text = { type: 'string' };
  return {
    ...kind.schema,
    properties: { apiVersion: text, kind: text, ...kind.schema.properties },
  };
}

function withoutEmpty(
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const isEmpty = (value: unknown): boolean =>
    Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => value !== undefined && (!isEmpty(value) || name === 'deprecatedSource'),
    ),
  );
}
