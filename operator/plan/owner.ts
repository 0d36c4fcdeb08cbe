import type { ObjectMeta } from 'kubernetes-types/meta/v1.js';

import { API_VERSION, KIND } from '../../crds/v1alpha1/cached-model-service.ts';
import { childLabels, type Component } from './labels.ts';
import type { LiveObject, OwnerReference } from './live-object.ts';
import type { ServiceToPlan } from './service.ts';

export function ownerReference({ name, uid }: ServiceToPlan): Required<OwnerReference> {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Name, namespace, labels and owner of a child. */
export function childMetadata(
  service: ServiceToPlan,
  name: string,
  component: Component = 'server',
): ObjectMeta {
  return {
    name,
    namespace: service.namespace,
    labels: childLabels(service.name, component),
    ownerReferences: [ownerReference(service)],
  };
}

export function controllerOf({ metadata }: LiveObject): OwnerReference | null {
  return metadata.ownerReferences?.find(({ controller }) => controller === true) ?? null;
}

/** Ours is what has our UID as its controller; a name or a label proves nothing. */
export function isOwnedBy(object: LiveObject, serviceUid: string): boolean {
  return controllerOf(object)?.uid === serviceUid;
}
