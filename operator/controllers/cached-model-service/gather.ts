import { readService } from '../../../crds/v1alpha1/read-object.ts';
import { readServiceStatus, type ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { PodView } from '../../fleet/fleet-pod.ts';
import type { KubeObject } from '../../kube/api.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import { namedConfigMaps, type NamedConfigMap } from '../../plan/named-config-maps.ts';
import { ledgerConfigMapName, policyConfigMapName, trainerAccountName } from '../../plan/names.ts';
import { oncePerObject } from '../../plan/once-per-object.ts';
import { toServiceToPlan, type ServiceToPlan } from '../../plan/service.ts';
import { CHILD_KINDS, type Caches, type ChildKind } from '../caches.ts';
import type { PassAttempt } from './pass-attempt.ts';
import type { ServiceShell } from './service-shell.ts';
import type { ServiceMemory } from './service-memory.ts';

/** Everything that one pass decides on. */
export interface Gathered {
  readonly key: string;
  readonly object: KubeObject;
  /** Null: the spec breaks a rule, which `specProblem` tells. */
  readonly service: ServiceToPlan | null;
  readonly specProblem: string | null;
  readonly previous: ServiceStatus;
  /** Objects that have the name of a child, and all that carry our owner UID. */
  readonly live: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
  readonly views: readonly PodView[];
  /** They are not watched, so they are looked at again. */
  readonly namesConfigMaps: boolean;
  readonly missingConfigMaps: readonly NamedConfigMap[];
  /** A ConfigMap could not be asked for and is not known from before. */
  readonly hasUnknownConfigMap: boolean;
  /** What `heads.revision` names; null: nothing, or not there. */
  readonly pinned: KubeObject | null;
  readonly nowMs: number;
  readonly monotonicMs: number;
}

/** How long the answer about a ConfigMap of the user counts, a little less than the time between two looks. */
const CONFIG_MAP_MS = 29_000;

/** Reads caches, and from the API server only what is not watched. */
export async function gather(
  shell: ServiceShell,
  object: KubeObject,
  memory: ServiceMemory,
  attempt: PassAttempt,
): Promise<Gathered> {
  const { caches, fleet, deps } = shell;
  const { clock } = deps;
  const { name, namespace = '' } = object.metadata;
  const key = `${namespace}/${name}`;
  const { service, specProblem, previous } = readOnce(object);
  const strays = await readStrays(shell, memory, attempt);
  const named = service === null ? [] : namedConfigMaps(service);
  await readConfigMaps(shell, { memory, attempt, namespace }, named);
  const nowMs = clock.monotonicMs();
  const known = ({ name: wanted }: NamedConfigMap): boolean | undefined =>
    memory.configMaps.get(wanted)?.exists;
  const revision = service?.spec.heads.revision;
  return {
    key,
    object,
    service,
    specProblem,
    previous,
    live: liveObjects(caches, { object, memory, strays, nowMs }),
    pods: caches.pods.listIndexed(key),
    views: fleet.pods(key),
    namesConfigMaps: named.length > 0,
    missingConfigMaps: named.filter((one) => known(one) === false),
    hasUnknownConfigMap: named.some((one) => known(one) === undefined),
    pinned:
      revision === undefined
        ? null
        : (caches.headRevisions.get(`${namespace}/${revision}`) ?? null),
    nowMs: clock.nowMs(),
    monotonicMs: nowMs,
  };
}

type Read = Pick<Gathered, 'service' | 'specProblem' | 'previous'>;

const readOnce = oncePerObject((object: KubeObject): Read => {
  const read = readService(object);
  return {
    service: read.ok ? toServiceToPlan(read.value) : null,
    specProblem: read.ok ? null : read.message,
    previous: readServiceStatus(object.status ?? {}),
  };
});

interface LiveOf {
  readonly object: KubeObject;
  readonly memory: ServiceMemory;
  readonly strays: readonly KubeObject[];
  readonly nowMs: number;
}

function liveObjects(caches: Caches, { object, memory, strays, nowMs }: LiveOf): KubeObject[] {
  const found = new Map<string, KubeObject>();
  const add = (kind: ChildKind, name: string, cached: KubeObject | undefined): void => {
    const latest = memory.written.latest({ kind, name }, cached, nowMs);
    if (latest !== null) found.set(`${kind}/${name}`, latest);
  };
  const { namespace = '', uid = '' } = object.metadata;
  for (const kind of CHILD_KINDS) {
    const cache = caches.children[kind];
    for (const child of cache.listIndexed(uid)) add(kind, child.metadata.name, child);
    for (const name of childNames(kind, object.metadata.name)) {
      add(kind, name, cache.get(`${namespace}/${name}`));
    }
  }
  for (const stray of strays) {
    const name = `${stray.kind}/${stray.metadata.name}`;
    if (!found.has(name)) found.set(name, stray);
  }
  return [...found.values()];
}

/** Names that children of a kind have. */
function childNames(kind: ChildKind, service: string): readonly string[] {
  if (kind === 'ConfigMap') return [policyConfigMapName(service), ledgerConfigMapName(service)];
  // One per training: those that are ours are found by their owner.
  if (kind === 'Job') return [];
  return kind === 'ServiceAccount' ? [service, trainerAccountName(service)] : [service];
}

/** Objects that a cache does not show and that hold a child's name all the same. */
async function readStrays(
  { deps, caches }: ServiceShell,
  memory: ServiceMemory,
  attempt: PassAttempt,
): Promise<KubeObject[]> {
  const strays: KubeObject[] = [];
  for (const [id, ref] of memory.strays) {
    const cached = caches.children[ref.kind as ChildKind].get(
      `${String(ref.namespace)}/${ref.name}`,
    );
    if (cached !== undefined) {
      memory.strays.delete(id);
      continue;
    }
    const part = { verb: 'get', kind: ref.kind, name: ref.name, body: null } as const;
    const found = await attempt.run(part, () => orAbsent(deps.api.get(ref)));
    if (found === 'Absent') memory.strays.delete(id);
    else if (found !== null) strays.push(found);
  }
  return strays;
}

async function readConfigMaps(
  { deps }: ServiceShell,
  of: {
    readonly memory: ServiceMemory;
    readonly attempt: PassAttempt;
    readonly namespace: string;
  },
  named: readonly NamedConfigMap[],
): Promise<void> {
  const { memory, attempt, namespace } = of;
  for (const { name } of named) {
    const nowMs = deps.clock.monotonicMs();
    const before = memory.configMaps.get(name);
    if (before !== undefined && nowMs - before.readMs < CONFIG_MAP_MS) continue;
    const part = { verb: 'get', kind: 'ConfigMap', name, body: null } as const;
    const ref = { kind: 'ConfigMap', namespace, name } as const;
    const found = await attempt.run(part, () => orAbsent(deps.api.get(ref)));
    if (found !== null) memory.configMaps.set(name, { exists: found !== 'Absent', readMs: nowMs });
  }
}

async function orAbsent(reading: Promise<KubeObject>): Promise<KubeObject | 'Absent'> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ApiStatusError && error.isNotFound) return 'Absent';
    throw error;
  }
}

/** The object of a name among those gathered. */
export function liveOf(
  { live }: Pick<Gathered, 'live'>,
  kind: ChildKind,
  name: string,
): KubeObject | null {
  return live.find((object) => object.kind === kind && object.metadata.name === name) ?? null;
}
