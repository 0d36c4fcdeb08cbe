import { readHeadRevisionStatus } from '../../../crds/v1alpha1/head-revision-status.ts';
import { keyOf, refOf, type Api, type KubeObject } from '../../kube/api.ts';
import { getOrNull } from '../../kube/get-or-null.ts';
import { controllerOf, isTerminating } from '../../kube/owner.ts';
import { bundleDigestOf } from '../bundle-digest-of.ts';
import { gatherRetention, retentionOf } from './gather-in-use.ts';
import { selectExpired, type KeptRevision } from './select-expired.ts';

export interface RemovalInput {
  readonly api: Api;
  /** As cached. */
  readonly service: KubeObject;
  /** All revisions of the service, as cached. */
  readonly revisions: readonly KubeObject[];
  /** Names of those whose bundle is missing for too long. */
  readonly abandoned: ReadonlySet<string>;
  /** Digests that pods of the service acknowledge. */
  readonly acknowledged: ReadonlySet<string>;
}

/**
 * Deletes what retention gives up: chosen from the cache, chosen again from consistent reads, each under the UID and version
 * that the choice rests on. Returns the keys of what was deleted.
 */
export async function removeExpired(input: RemovalInput): Promise<readonly string[]> {
  const { api, service, revisions, abandoned, acknowledged } = input;
  const { namespace = '', name, uid = '' } = service.metadata;
  const kept = (objects: readonly KubeObject[]): readonly KeptRevision[] =>
    objects.map((object) => toKept(object, uid, abandoned));
  const cached = selectExpired(kept(revisions), retentionOf(service));
  if (cached.length === 0) return [];
  const retention = await gatherRetention(api, { namespace, name, uid }, acknowledged);
  if (retention === null) return [];
  const fresh = await Promise.all(
    revisions.map(async (revision) =>
      cached.includes(revision.metadata.name) ? readAgain(api, revision) : revision,
    ),
  );
  const present = fresh.filter((revision) => revision !== null);
  const expired = selectExpired(kept(present), retention).filter((found) => cached.includes(found));
  const removed: string[] = [];
  for (const revision of present) {
    if (!expired.includes(revision.metadata.name)) continue;
    const { uid: revisionUid = '', resourceVersion = '' } = revision.metadata;
    await api.delete(refOf(revision), { uid: revisionUid, resourceVersion });
    removed.push(keyOf(revision));
  }
  return removed;
}

function toKept(
  revision: KubeObject,
  serviceUid: string,
  abandoned: ReadonlySet<string>,
): KeptRevision {
  const { name, creationTimestamp = '' } = revision.metadata;
  const { conditions = [] } = readHeadRevisionStatus(revision.status);
  return {
    name,
    digest: bundleDigestOf(revision) ?? '',
    createdMs: Date.parse(creationTimestamp) || 0,
    isOwned: controllerOf(revision)?.uid === serviceUid,
    isFailed: conditions.some(({ type, status }) => type === 'Failed' && status === 'True'),
    isTerminating: isTerminating(revision),
    isAbandoned: abandoned.has(name),
  };
}

/** Null when it is gone, or another one has its name. */
async function readAgain(api: Api, revision: KubeObject): Promise<KubeObject | null> {
  const fresh = await getOrNull(api, refOf(revision));
  return fresh?.metadata.uid === revision.metadata.uid ? fresh : null;
}
