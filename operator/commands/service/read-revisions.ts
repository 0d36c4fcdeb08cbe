import { HEAD_REVISION_KIND } from '../../../crds/v1alpha1/cache-head-revision.ts';
import { readHeadRevisionStatus } from '../../../crds/v1alpha1/head-revision-status.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { RevisionView } from './service-view.ts';

/** The spec as it is stored; one that no parser accepts is shown as far as it goes. */
interface RevisionSpec {
  readonly serviceName?: string;
  readonly backboneDigest?: string;
  readonly bundle?: {
    readonly digest?: string;
    readonly sizeBytes?: number;
    readonly configMapName?: string;
    readonly uri?: string;
  };
  readonly exits?: readonly { readonly name?: string }[];
}

/** Head revisions, newest first: of one service, or all that the flags cover. */
export async function readRevisions(
  cluster: Cluster,
  service?: string,
): Promise<readonly RevisionView[]> {
  const { listNamespace } = cluster;
  const { items } = await cluster.api.list(
    HEAD_REVISION_KIND,
    listNamespace === undefined ? {} : { namespace: listNamespace },
  );
  return items
    .map(toRevisionView)
    .filter((one) => service === undefined || one.serviceName === service)
    .sort((a, b) => (b.createdTime ?? '').localeCompare(a.createdTime ?? ''));
}

export function toRevisionView(object: KubeObject): RevisionView {
  const { name, creationTimestamp, ownerReferences = [] } = object.metadata;
  const { conditions = [], certificate } = readHeadRevisionStatus(object.status);
  return {
    name,
    ...specOf(object.spec ?? {}),
    createdTime: creationTimestamp,
    isOwned: ownerReferences.length > 0,
    conditions,
    upperBound: certificate?.upperBound,
    lambda: certificate?.lambda,
  };
}

function specOf({
  serviceName = '',
  backboneDigest = '',
  bundle = {},
  exits = [],
}: RevisionSpec): Pick<
  RevisionView,
  'serviceName' | 'backboneDigest' | 'digest' | 'sizeBytes' | 'place' | 'exits'
> {
  const { digest = '', sizeBytes = 0, uri, configMapName = '' } = bundle;
  return {
    serviceName,
    backboneDigest,
    digest,
    sizeBytes,
    place: uri ?? `configmap/${configMapName}`,
    exits: exits.map((exit) => exit.name ?? ''),
  };
}
