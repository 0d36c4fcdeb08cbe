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

/** Makes a revision of own heads and its ConfigMap; nothing serves them before `heads.revision` names it. */
export async function pushHeads(
  cluster: Cluster,
  service: string,
  opened: OpenedBundle,
): Promise<PushedHeads> {
  const view = await getServiceView(cluster, service);
  checkFit(opened, service, view.status.backbone?.digest);
  const name = headRevisionName(service, opened.digest);
  const revision = revisionOf(cluster.namespace, { name, service, opened });
  const { object, wasThere } = await createOrGet(cluster, revision);
  await createOrGet(cluster, configMapOf(object, opened.bytes));
  return { name, wasThere };
}

function checkFit(
  { bundle, sizeBytes, where }: OpenedBundle,
  service: string,
  loaded: string | undefined,
): void {
  if (sizeBytes > MAX_CONFIG_MAP_BUNDLE_BYTES) {
    throw new CliError('HeadsIncompatible', {
      where,
      why: `it has ${sizeBytes} bytes, and a ConfigMap holds ${MAX_CONFIG_MAP_BUNDLE_BYTES}.`,
      nextStep: 'Put the file into s3 or oci, and write a CacheHeadRevision with its uri.',
    });
  }
  if (loaded === undefined || loaded === bundle.backboneDigest) return;
  throw new CliError('HeadsIncompatible', {
    where,
    why: `its heads are for backbone ${bundle.backboneDigest}, and ${service} serves ${loaded}.`,
  });
}

function revisionOf(
  namespace: string,
  {
    name,
    service,
    opened,
  }: { readonly name: string; readonly service: string; readonly opened: OpenedBundle },
): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: HEAD_REVISION_KIND,
    metadata: { name, namespace },
    spec: headRevisionSpec({ ...opened, uri: null }, service),
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
