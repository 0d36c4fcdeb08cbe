// Head revisions and their bundles as the API server holds them.
import type { CacheHeadRevisionSpec } from '../../../../../crds/v1alpha1/cache-head-revision.ts';
import { encodeHeadBundle } from '../../../../../crds/wire/head-bundle.ts';
import type { KubeObject } from '../../../../../operator/kube/api.ts';
import { FAKE_CLASSES, FAKE_DIGEST } from '../../../../support/fake-engine.ts';
import { digestOf, fakeBundle } from '../../../../support/test-server.ts';

/** What an honest revision says of `fakeBundle`. */
export function specOf(bytes: Uint8Array, configMapName = 'heads'): CacheHeadRevisionSpec {
  return {
    serviceName: 'vision',
    backboneDigest: FAKE_DIGEST,
    bundle: { digest: digestOf(bytes), sizeBytes: bytes.length, configMapName },
    exits: [
      { name: 'early', tensor: 'cut_a', pool: 1, hidden: 0 },
      { name: 'late', tensor: 'cut_b', pool: 1, hidden: 0 },
    ],
    classCount: FAKE_CLASSES,
  };
}

/** Bundles of different marks have different digests. */
export function bundleOf(mark: number): Uint8Array {
  return encodeHeadBundle(fakeBundle(mark));
}

export interface RevisionWish {
  readonly name: string;
  readonly mark: number;
  readonly namespace: string;
  /** Null: a person's. */
  readonly owner: KubeObject | null;
  readonly configMapName?: string;
}

export function aRevisionObject({
  name,
  mark,
  namespace,
  owner,
  configMapName = name,
}: RevisionWish): KubeObject {
  const ownerReferences =
    owner === null
      ? []
      : [
          {
            ...{ apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name },
            ...{ uid: String(owner.metadata.uid), controller: true, blockOwnerDeletion: true },
          },
        ];
  return {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CacheHeadRevision',
    metadata: { name, namespace, ownerReferences },
    spec: specOf(bundleOf(mark), configMapName),
  };
}

export function aBundleConfigMap(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  bytes: Uint8Array,
  labels: Readonly<Record<string, string>> = { 'layercache.io/role': 'head' },
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels },
    immutable: true,
    binaryData: { bundle: Buffer.from(bytes).toString('base64') },
  };
}

export function aServiceObject(namespace: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name: 'vision', namespace },
    spec: {
      backbone: { uri: 'https://models.example.com/m.onnx' },
      accuracy: { maxDisagreement: '1%' },
      ...spec,
    },
  };
}

export function aPolicyConfigMap(namespace: string, policy: string | null): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'vision-policy', namespace, labels: { 'layercache.io/role': 'policy' } },
    ...(policy === null ? {} : { data: { 'policy.json': policy } }),
  };
}
