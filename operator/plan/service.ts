import type {
  CachedModelService,
  CachedModelServiceSpec,
} from '../../crds/v1alpha1/cached-model-service.ts';
import { invariant } from '../../server/core/invariant.ts';

/** What rendering needs of a CachedModelService that the API server stored. */
export interface ServiceToPlan {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly isDeleted: boolean;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: CachedModelServiceSpec;
}

interface StoredMetadata {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: unknown;
  readonly generation?: unknown;
  readonly deletionTimestamp?: unknown;
  readonly annotations?: unknown;
}

/** A parsed service as it is planned. Throws InvariantError without namespace, uid and generation: every stored one has them. */
export function toServiceToPlan({ metadata, spec }: CachedModelService): ServiceToPlan {
  const { name, namespace, uid, generation, deletionTimestamp, annotations }: StoredMetadata =
    metadata;
  invariant(
    namespace !== undefined && typeof uid === 'string' && typeof generation === 'number',
    `service ${name} comes from the API server`,
  );
  return {
    name,
    namespace,
    uid,
    generation,
    isDeleted: deletionTimestamp !== undefined,
    annotations: (annotations ?? {}) as Readonly<Record<string, string>>,
    spec,
  };
}

/** Whether a spec lets heads be trained at all. */
export function mayTrain({ spec }: Pick<ServiceToPlan, 'spec'>): boolean {
  const isOff = spec.tuning.mode === 'Off' || spec.heads.training.mode === 'Off';
  return !isOff && spec.exits?.length !== 0;
}
