import { HEAD_REVISION_KIND } from '../../../crds/v1alpha1/cache-head-revision.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { KindName } from '../../kube/kinds.ts';
import { ledgerConfigMapName, policyConfigMapName } from '../../plan/names.ts';
import { COMMIT, VERSION } from '../../version.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { getService } from '../service/find-service.ts';
import { readCoreEvents } from '../service/read-events.ts';
import { redactObject, redactText } from './redact.ts';
import type { ArchiveFile } from './write-tar.ts';

/** Children by the service's label; Secrets are never asked for. */
const CHILDREN: readonly KindName[] = [
  ...(['Deployment', 'Pod', 'Job', 'Service', 'ServiceAccount'] as const),
  ...(['HorizontalPodAutoscaler', 'PodDisruptionBudget', 'NetworkPolicy'] as const),
];

export interface GatheredBundle {
  readonly files: readonly ArchiveFile[];
  /** What is not in it, and why. */
  readonly missing: readonly string[];
}

/** What support needs of one service. Everything goes through the redaction, logs too. */
export async function gatherBundle(cluster: Cluster, name: string): Promise<GatheredBundle> {
  const { namespace } = cluster;
  const service = await getService(cluster, name);
  const missing: string[] = [];
  const children = (
    await Promise.all(CHILDREN.map((kind) => childrenOf(cluster, kind, { name, missing })))
  ).flat();
  const pods = children.filter(({ kind }) => kind === 'Pod');
  const gathered = await Promise.all([
    revisionsOf(cluster, { name, missing }),
    eventsOf(cluster, { name, missing }),
    configMapOf(cluster, policyConfigMapName(name), { name, missing }),
    configMapOf(cluster, ledgerConfigMapName(name), { name, missing }),
    logsOf(cluster, pods, missing),
  ]);
  const about = {
    tool: `layercache ${VERSION} (${COMMIT})`,
    server: cluster.server,
    namespace,
    name,
    missing,
  };
  return {
    files: [
      jsonFile('service.json', service),
      ...children.map(fileOf),
      ...gathered.flat(),
      { path: 'about.json', text: redactText(`${JSON.stringify(about, null, 2)}\n`) },
    ],
    missing,
  };
}

interface Gathering {
  readonly name: string;
  readonly missing: string[];
}

/** Nothing, and a note, for whoever may not see it; other failures end the command. */
async function unlessForbidden<T>(
  what: string,
  missing: string[],
  read: () => Promise<T>,
): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ApiStatusError) || !(error.isForbidden || error.isNotFound)) throw error;
    missing.push(
      `${what}: ${error.isForbidden ? 'this user may not read it' : 'it does not exist'}`,
    );
    return null;
  }
}

async function childrenOf(
  cluster: Cluster,
  kind: KindName,
  { name, missing }: Gathering,
): Promise<readonly KubeObject[]> {
  const labelSelector = `layercache.io/service=${name}`;
  const list = await unlessForbidden(kind, missing, () =>
    cluster.api.list(kind, { namespace: cluster.namespace, labelSelector }),
  );
  return list?.items ?? [];
}

async function revisionsOf(cluster: Cluster, { name, missing }: Gathering): Promise<ArchiveFile[]> {
  const list = await unlessForbidden(HEAD_REVISION_KIND, missing, () =>
    cluster.api.list(HEAD_REVISION_KIND, { namespace: cluster.namespace }),
  );
  return (list?.items ?? [])
    .filter(
      ({ spec }) => (spec as { readonly serviceName?: string } | undefined)?.serviceName === name,
    )
    .map((object) => fileOf(object));
}

async function eventsOf(cluster: Cluster, { missing }: Gathering): Promise<ArchiveFile[]> {
  const events = await readCoreEvents(cluster, '');
  if (events !== null) return [jsonFile('events.json', events)];
  missing.push('events: this user may not read them');
  return [];
}

/** Policy and evidence are documents within documents: they are written as such. */
async function configMapOf(
  cluster: Cluster,
  configMap: string,
  { missing }: Gathering,
): Promise<ArchiveFile[]> {
  const ref = { kind: 'ConfigMap', namespace: cluster.namespace, name: configMap } as const;
  const object = await unlessForbidden(`ConfigMap ${configMap}`, missing, () =>
    cluster.api.get(ref),
  );
  const data = (object as { readonly data?: Readonly<Record<string, string>> } | null)?.data ?? {};
  return Object.entries(data).map(([key, text]) => jsonFile(`${configMap}/${key}`, parsed(text)));
}

const LOG_LINES = 2_000;

async function logsOf(
  cluster: Cluster,
  pods: readonly KubeObject[],
  missing: string[],
): Promise<ArchiveFile[]> {
  const logs = await Promise.all(
    pods.map(async ({ metadata }) => {
      // Beside those of others, a container is named as the component is.
      const container = metadata.labels?.['app.kubernetes.io/component'] ?? 'server';
      const path = `/api/v1/namespaces/${cluster.namespace}/pods/${metadata.name}/log?container=${container}&tailLines=${LOG_LINES}`;
      const { status, text } = await cluster.raw('GET', path);
      if (status === 200) return [{ path: `logs/${metadata.name}.log`, text: redactText(text) }];
      missing.push(`log of pod ${metadata.name}: the API server answered ${status}`);
      return [];
    }),
  );
  return logs.flat();
}

function fileOf(object: KubeObject): ArchiveFile {
  return jsonFile(`${object.kind.toLowerCase()}/${object.metadata.name}.json`, object);
}

function jsonFile(path: string, value: unknown): ArchiveFile {
  return { path, text: `${JSON.stringify(redactObject(value), null, 2)}\n` };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { unreadable: true };
  }
}
