import { KIND } from '../../crds/v1alpha1/cached-model-service.ts';
import { installationName, type Installation } from './defaults.ts';
import type { LiveObject } from './live-object.ts';
import { ANNOTATIONS } from './names.ts';
import { controllerOf, isOwnedBy } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

/** A live object that has the name of a child and is not ours. */
export interface NameConflict {
  readonly kind: string;
  readonly name: string;
  /** Half a sentence: whose it is. */
  readonly holder: string;
  /** It goes away by itself: the garbage collector is about to remove it. */
  readonly isLeaving: boolean;
}

/** The conflict of a wanted child with the object that holds its name; null: the name is free or the object ours. */
export function findNameConflict(
  service: ServiceToPlan,
  live: LiveObject | null,
): NameConflict | null {
  if (live === null || isOwnedBy(live, service.uid)) return null;
  const owner = controllerOf(live);
  const { kind, metadata } = live;
  const isPredecessor = owner?.kind === KIND && owner.name === service.name;
  return {
    kind,
    name: metadata.name,
    holder: isPredecessor
      ? 'belongs to a deleted service of the same name and is being collected'
      : owner === null
        ? 'has no owner'
        : `belongs to ${owner.kind} ${owner.name}`,
    isLeaving: isPredecessor || metadata.deletionTimestamp !== undefined,
  };
}

/**
 * The other installation whose operator writes for a service, by the annotation of its policy ConfigMap; null when there is
 * none. Two writers would undo each other's policies for ever, so the one that comes second does nothing.
 */
export function findForeignInstallation(
  service: Pick<ServiceToPlan, 'uid'>,
  policyConfigMap: LiveObject | null,
  installation: Installation,
): string | null {
  if (policyConfigMap === null || !isOwnedBy(policyConfigMap, service.uid)) return null;
  const named = policyConfigMap.metadata.annotations?.[ANNOTATIONS.installation];
  return named === undefined || named === installationName(installation) ? null : named;
}
