import type { ConfigMap } from 'kubernetes-types/core/v1.js';
import type { ObjectMeta } from 'kubernetes-types/meta/v1.js';

import { API_VERSION } from '../../crds/v1alpha1/cached-model-service.ts';
import {
  HEAD_REVISION_KIND,
  type CacheHeadRevisionSpec,
} from '../../crds/v1alpha1/cache-head-revision.ts';
import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import { roleLabel } from './labels.ts';
import { headRevisionName } from './names.ts';
import { childMetadata } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

export interface TrainedHeads {
  readonly service: ServiceToPlan;
  /** `sha256:<64 hex>` of the bundle's file. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly bundle: HeadBundle;
  /** Where its file lies in a remote store; null: in a ConfigMap of the revision's name. */
  readonly uri: string | null;
  readonly training: NonNullable<CacheHeadRevisionSpec['training']>;
}

/** A revision as it is created. */
export interface CacheHeadRevisionObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta & { readonly name: string };
  readonly spec: CacheHeadRevisionSpec;
}

/** The revision of a bundle whose digest was verified. It is created before its ConfigMap, where it has one, and owns it. */
export function planHeadRevision({
  service,
  digest,
  sizeBytes,
  bundle,
  uri,
  training,
}: TrainedHeads): CacheHeadRevisionObject {
  const name = headRevisionName(service.name, digest);
  const spec = { ...headRevisionSpec({ digest, sizeBytes, bundle, uri }, service.name), training };
  const metadata = childMetadata(service, name, 'trainer');
  return {
    apiVersion: API_VERSION,
    kind: HEAD_REVISION_KIND,
    metadata: { ...metadata, name },
    spec,
  };
}

/** What a revision says of a bundle, whoever brought it. */
export function headRevisionSpec(
  { digest, sizeBytes, bundle, uri }: Pick<TrainedHeads, 'digest' | 'sizeBytes' | 'bundle' | 'uri'>,
  serviceName: string,
): CacheHeadRevisionSpec {
  const configMapName = headRevisionName(serviceName, digest);
  return {
    serviceName,
    backboneDigest: bundle.backboneDigest,
    bundle: { digest, sizeBytes, ...(uri === null ? { configMapName } : { uri }) },
    exits: bundle.heads.map(toExit),
    classCount: bundle.classCount,
  };
}

/** A bundle names exactly one of tensor and companion. */
function toExit({
  exit: name,
  ...head
}: HeadBundle['heads'][number]): CacheHeadRevisionSpec['exits'][number] {
  const { tensor, pool, hidden, modelDigest } = head;
  return modelDigest === null
    ? { name, tensor: tensor ?? '', pool, hidden }
    : { name, modelDigest };
}

/** The blob of a revision: immutable, found by its role, gone with the revision. */
export function planHeadConfigMap(
  service: ServiceToPlan,
  revision: { readonly name: string; readonly uid: string },
  base64: string,
): ConfigMap {
  const metadata = childMetadata(service, revision.name, 'trainer');
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...roleLabel('head') },
      ownerReferences: [
        {
          ...{ apiVersion: API_VERSION, kind: HEAD_REVISION_KIND },
          ...revision,
          controller: true,
        },
      ],
    },
    immutable: true,
    binaryData: { bundle: base64 },
  };
}
