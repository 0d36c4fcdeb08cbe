import type { ApplyOptions, DeleteOptions, ObjectRef, WriteOptions, KubeObject } from './api.ts';
import type { HttpCall } from './http-call.ts';
import { KINDS, pathOf, type KindName } from './kinds.ts';

const PARTIAL = 'application/json;as=PartialObjectMetadata';
const META_GROUP = ';g=meta.k8s.io;v=v1';

export function acceptOf(list: { readonly metadataOnly?: boolean }, suffix: 'List' | ''): string {
  return list.metadataOnly === true ? `${PARTIAL}${suffix}${META_GROUP}` : 'application/json';
}

export function selectionQuery(selection: {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}): URLSearchParams {
  const query = new URLSearchParams();
  if (selection.labelSelector !== undefined) query.set('labelSelector', selection.labelSelector);
  if (selection.fieldSelector !== undefined) query.set('fieldSelector', selection.fieldSelector);
  return query;
}

export function applyQuery(apply: ApplyOptions): URLSearchParams {
  const query = writeQuery(apply);
  query.set('force', String(apply.force ?? true));
  return query;
}

export function writeQuery(write: WriteOptions = {}): URLSearchParams {
  const query = new URLSearchParams();
  if (write.fieldManager !== undefined) query.set('fieldManager', write.fieldManager);
  if (write.dryRun === true) query.set('dryRun', 'All');
  return query;
}

export function deleteBody({ uid, resourceVersion, propagation }: DeleteOptions = {}): unknown {
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: propagation ?? 'Background',
    ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
  };
}

export function targetOf(
  verb: string,
  ref: ObjectRef,
  subresource?: string,
  query = new URLSearchParams(),
): Pick<HttpCall, 'name' | 'target'> {
  const { namespace, name } = ref;
  const kind = KINDS[ref.kind];
  const path = pathOf(kind, { namespace, name, ...(subresource && { subresource }) });
  const plural = subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`;
  return {
    name: `${verb} ${plural} ${namespace === undefined ? name : `${namespace}/${name}`}`,
    target: query.size === 0 ? path : `${path}?${query.toString()}`,
  };
}

export function collectionOf(
  verb: string,
  object: KubeObject,
  query: URLSearchParams,
): Pick<HttpCall, 'name' | 'target'> {
  const { kind, metadata } = object;
  const row = KINDS[kind as KindName];
  const path = pathOf(row, { namespace: metadata.namespace });
  return {
    name: `${verb} ${row.plural} ${metadata.namespace ?? ''}/${metadata.name}`,
    target: query.size === 0 ? path : `${path}?${query.toString()}`,
  };
}
