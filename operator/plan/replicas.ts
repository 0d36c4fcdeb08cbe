import { isJsonObject, objectAt } from './json-object.ts';
import type { LiveObject, ManagedFields } from './live-object.ts';
import { FIELD_MANAGER } from './names.ts';
import type { ServiceToPlan } from './service.ts';

export type ReplicasPlan =
  /** Leave `spec.replicas` out of the apply: somebody else owns it. */
  | { readonly kind: 'Omit' }
  /** Apply it; with `resourceVersion` only to the object that it was read from. */
  | { readonly kind: 'Set'; readonly replicas: number; readonly resourceVersion?: string };

/**
 * Who says how many pods. Without `autoscaling` the spec does, and a suspended service has none. With it the autoscaler
 * does once `managedFields` shows that we own it no longer; omitting the field earlier would reset it to 1
 * (measured), so until then the live value is repeated under the version it was read at.
 */
export function planReplicas({ spec }: ServiceToPlan, live: LiveObject | null): ReplicasPlan {
  if (spec.suspend) return { kind: 'Set', replicas: 0 };
  if (spec.autoscaling === undefined) return { kind: 'Set', replicas: spec.replicas };
  const current = objectAt(live, 'spec').replicas;
  if (live === null || typeof current !== 'number') {
    return { kind: 'Set', replicas: spec.autoscaling.minReplicas };
  }
  const { managedFields = [], resourceVersion } = live.metadata;
  const owners = managedFields.filter(ownsReplicas);
  // A scale to 0 by hand leaves no owner at all (1.36), and stays too.
  if (owners.length === 0 || !owners.every(isOurs)) return { kind: 'Omit' };
  // 0 under our own name is a suspension that ended.
  const replicas = current === 0 ? spec.autoscaling.minReplicas : current;
  return { kind: 'Set', replicas, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
}

function ownsReplicas({ fieldsV1 }: ManagedFields): boolean {
  return isJsonObject(fieldsV1) && 'f:replicas' in objectAt(fieldsV1, 'f:spec');
}

function isOurs({ manager, operation, subresource }: ManagedFields): boolean {
  return manager === FIELD_MANAGER && operation === 'Apply' && subresource === undefined;
}
