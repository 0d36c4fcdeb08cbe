import type { CacheHeadRevision } from '../../../crds/v1alpha1/cache-head-revision.ts';
import { isBundle } from '../../fleet/remote-bundles.ts';
import type { Api, KubeObject } from '../../kube/api.ts';
import { getOrNull } from '../../kube/get-or-null.ts';
import type { Store } from '../../kube/store.ts';
import type { ObjectMeta } from '../../plan/live-object.ts';
import type { ServiceFleet } from '../service-fleet.ts';
import { assessBundle, assessContent, unavailable, type BundleVerdict } from './assess-bundle.ts';

/** Says what lies in the store under a revision, and reads a bundle again only when it may have changed. */
export interface BundleReader {
  /** A verdict over a consistent read, or over one of the very version that the cache still shows. */
  assess(revision: CacheHeadRevision, uid: string): Promise<BundleVerdict>;
  /** The revision is gone. */
  forget(uid: string): void;
}

interface Assessed {
  /** Of the ConfigMap that was read. */
  readonly metadata: ObjectMeta;
  readonly verdict: BundleVerdict;
}

/** What pods of a service say of a bundle in a remote store; `key` is `namespace/name` of the service. */
type RemoteReports = Pick<ServiceFleet, 'acknowledgedHeads' | 'missingHeads' | 'remoteBundle'>;

export interface BundleReaderOptions {
  readonly api: Api;
  /** Metadata of the ConfigMaps that are labelled as bundles. */
  readonly bundles: Pick<Store, 'get'>;
  readonly fleet: RemoteReports;
}

export function createBundleReader(options: BundleReaderOptions): BundleReader {
  const { api, bundles } = options;
  const assessed = new Map<string, Assessed>();
  return {
    assess: async (revision, uid) => {
      const { namespace = '' } = revision.metadata;
      const { configMapName } = revision.spec.bundle;
      if (configMapName === undefined) return assessRemote(revision, namespace, options.fleet);
      const known = assessed.get(uid);
      const cached = bundles.get(`${namespace}/${configMapName}`);
      if (known !== undefined && isVersionOf(cached, known)) return known.verdict;
      const stored = await getOrNull(api, {
        kind: 'ConfigMap',
        namespace,
        name: configMapName,
      });
      const verdict = assessStored(revision, configMapName, stored);
      if (stored === null) assessed.delete(uid);
      else assessed.set(uid, { metadata: stored.metadata, verdict });
      return verdict;
    },
    forget: (uid) => {
      assessed.delete(uid);
    },
  };
}

function isVersionOf(cached: KubeObject | undefined, { metadata }: Assessed): boolean {
  return (
    cached?.metadata.uid === metadata.uid &&
    cached?.metadata.resourceVersion === metadata.resourceVersion
  );
}

function assessStored(
  { spec }: CacheHeadRevision,
  name: string,
  stored: KubeObject | null,
): BundleVerdict {
  if (stored === null) {
    return unavailable(
      'BundleMissing',
      `There is no ConfigMap ${name}: create it with \`kubectl create configmap ${name} --from-file=bundle=FILE\`, or delete this revision.`,
    );
  }
  const { bundle } = (stored.binaryData ?? {}) as { readonly bundle?: unknown };
  if (typeof bundle !== 'string') {
    return unavailable(
      'BundleMissing',
      `ConfigMap ${name} has no key bundle under binaryData: create it again with --from-file=bundle=FILE.`,
    );
  }
  return assessBundle(spec, Buffer.from(bundle, 'base64'));
}

/** Pods fetch it themselves; the operator has no credentials and takes their word, but checks what the revision says of it. */
function assessRemote(
  { spec }: CacheHeadRevision,
  namespace: string,
  fleet: RemoteReports,
): BundleVerdict {
  const { digest, uri = '' } = spec.bundle;
  const key = `${namespace}/${spec.serviceName}`;
  const brought = fleet.remoteBundle(key, digest);
  if (isBundle(brought)) {
    const verdict = assessContent(spec, brought);
    if (verdict.status === 'False') return verdict;
  }
  const problem = fleet.missingHeads(key, digest) ?? (isBundle(brought) ? null : brought);
  if (problem !== null) return unavailable(problem.reason, problem.message);
  if (fleet.acknowledgedHeads(key).has(digest)) {
    return { status: 'True', reason: 'Verified', message: `Pods loaded the bundle of ${uri}.` };
  }
  return {
    status: 'Unknown',
    reason: 'WaitingForReplicas',
    message: `No pod has loaded the bundle from ${uri} yet; it is fetched once a policy names it.`,
  };
}
