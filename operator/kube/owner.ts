import type { OwnerReference } from '../plan/live-object.ts';
import type { KubeObject } from './api.ts';

/** The one controller reference of a child. Garbage collection removes the child with its owner; no finalizer does. */
export function ownerReferenceTo(owner: KubeObject): OwnerReference {
  const { name, uid = '' } = owner.metadata;
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** What may be done with a live object of a child's name. A `Foreign` one is never touched: same name is no consent. */
export type Ownership = 'Absent' | 'Ours' | 'Foreign';

/** By UID: an object that belonged to a deleted owner of the same name is foreign, and about to be collected. */
export function ownershipOf(live: KubeObject | null | undefined, ownerUid: string): Ownership {
  if (live === null || live === undefined) return 'Absent';
  return controllerOf(live)?.uid === ownerUid ? 'Ours' : 'Foreign';
}

/** The owner that controls an object, if one does. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** Being deleted: nothing is created for it and nothing of it is changed any more. */
export function isTerminating(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}
