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
 * does once its write shows in `managedFields`; omitting the field earlier, while we own it, would reset it to 1
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
  if (managedFields.some(isOtherOwner)) return { kind: 'Omit' };
  // 0 under our own name is a suspension that ended.
  const replicas = current === 0 ? spec.autoscaling.minReplicas : current;
  return { kind: 'Set', replicas, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
}

function isOtherOwner({ manager, operation, subresource, fieldsV1 }: ManagedFields): boolean {
  const isOurs = manager === FIELD_MANAGER && operation === 'Apply' && subresource === undefined;
  return !isOurs && isJsonObject(fieldsV1) && 'f:replicas' in objectAt(fieldsV1, 'f:spec');
}
