import { HEAD_REVISION_KIND } from '../../../crds/v1alpha1/cache-head-revision.ts';
import { API_VERSION } from '../../../crds/v1alpha1/cached-model-service.ts';
import { MAX_CONFIG_MAP_BUNDLE_BYTES } from '../../../crds/v1alpha1/head-revision-rules.ts';
import { CliError } from '../../errors.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import { refOf, type KubeObject } from '../../kube/api.ts';
import { headRevisionSpec } from '../../plan/head-revision.ts';
import { roleLabel } from '../../plan/labels.ts';
import { headRevisionName } from '../../plan/names.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { getServiceView } from '../service/find-service.ts';
import type { OpenedBundle } from './read-bundle.ts';

export interface PushedHeads {
  readonly name: string;
  readonly wasThere: boolean;
}

/** Throws when the heads are for another backbone than the service has, or too large for a ConfigMap that is to hold them. */
export async function checkFit(
  cluster: Cluster,
  service: string,
  { opened, isStored }: { readonly opened: OpenedBundle; readonly isStored: boolean },
): Promise<void> {
  const { status } = await getServiceView(cluster, service);
  const { bundle, sizeBytes, where } = opened;
  if (!isStored && sizeBytes > MAX_CONFIG_MAP_BUNDLE_BYTES) {
    throw new CliError('HeadsIncompatible', {
      where,
      why: `it has ${sizeBytes} bytes, and a ConfigMap holds ${MAX_CONFIG_MAP_BUNDLE_BYTES}.`,
      nextStep:
        'Put it into a store too, with --to s3://BUCKET/PATH or --to oci://REGISTRY/REPOSITORY.',
    });
  }
  const loaded = status.backbone?.digest;
  if (loaded === undefined || loaded === bundle.backboneDigest) return;
  throw new CliError('HeadsIncompatible', {
    where,
    why: `its heads are for backbone ${bundle.backboneDigest}, and ${service} serves ${loaded}.`,
  });
}

/**
 * Makes a revision of own heads; nothing serves them before `heads.revision` names it.
 * @param uri where a store has them; null: a ConfigMap is made for them
 */
export async function pushHeads(
  cluster: Cluster,
  service: string,
  { opened, uri }: { readonly opened: OpenedBundle; readonly uri: string | null },
): Promise<PushedHeads> {
  const name = headRevisionName(service, opened.digest);
  const revision = revisionOf(cluster.namespace, { name, service, opened, uri });
  const { object, wasThere } = await createOrGet(cluster, revision);
  if (isInConfigMap(object)) await createOrGet(cluster, configMapOf(object, opened.bytes));
  return { name, wasThere };
}

/** A revision that was there may have its bundle elsewhere than this one would. */
function isInConfigMap({ spec }: KubeObject): boolean {
  const { bundle } = spec as { readonly bundle?: { readonly configMapName?: string } };
  return bundle?.configMapName !== undefined;
}

function revisionOf(
  namespace: string,
  {
    name,
    service,
    opened,
    uri,
  }: {
    readonly name: string;
    readonly service: string;
    readonly opened: OpenedBundle;
    readonly uri: string | null;
  },
): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: HEAD_REVISION_KIND,
    metadata: { name, namespace },
    spec: headRevisionSpec({ ...opened, uri }, service),
  };
}

/** Gone with its revision. */
function configMapOf({ metadata }: KubeObject, bytes: Uint8Array): KubeObject {
  const { name, namespace = '', uid = '' } = metadata;
  const owner = { apiVersion: API_VERSION, kind: HEAD_REVISION_KIND, name, uid, controller: true };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: roleLabel('head'), ownerReferences: [owner] },
    immutable: true,
    binaryData: { bundle: Buffer.from(bytes).toString('base64') },
  };
}

async function createOrGet(
  { api }: Cluster,
  object: KubeObject,
): Promise<{ readonly object: KubeObject; readonly wasThere: boolean }> {
  try {
    return { object: await api.create(object), wasThere: false };
  } catch (error) {
    if (!(error instanceof ApiStatusError) || !error.isAlreadyExists) throw error;
    return { object: await api.get(refOf(object)), wasThere: true };
  }
}
