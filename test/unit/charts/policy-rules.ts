// What must hold for every rendering of the chart.
import { isDeepStrictEqual } from 'node:util';
import { only, type ChartObject } from './helm.ts';

type Labels = Readonly<Record<string, string>>;

interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly privileged?: boolean;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  readonly seccompProfile?: { readonly type?: string };
}

interface Container {
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly resources?: Readonly<Record<'requests' | 'limits', Labels | undefined>>;
  readonly securityContext?: SecurityContext;
  readonly livenessProbe?: object;
  readonly readinessProbe?: object;
  readonly volumeMounts?: readonly { readonly subPath?: string }[];
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly securityContext?: SecurityContext;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly serviceAccountName?: string;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
}

export interface Template {
  readonly metadata: { readonly labels: Labels; readonly annotations?: Labels };
  readonly spec: PodSpec;
}

interface Rule {
  readonly verbs: readonly string[];
  readonly resources?: readonly string[];
  readonly apiGroups?: readonly string[];
}

const CLUSTER_WIDE = [
  'ClusterRole',
  'ClusterRoleBinding',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
];
const RESTRICTED_VOLUMES = ['configMap', 'emptyDir', 'projected', 'secret', 'downwardAPI'];
/** What the operator writes: Helm 4 would fight it for the fields. */
const OF_THE_OPERATOR = ['Secret', 'Lease', 'CachedModelService', 'CacheHeadRevision'];
const FORBIDDEN_VERBS = ['*', 'bind', 'escalate', 'impersonate'];

/** One sentence for each break of a rule; empty is what is wanted. */
export function problemsOf(objects: readonly ChartObject[]): readonly string[] {
  return [
    ...objects.flatMap(problemsOfObject),
    ...twins(objects),
    ...objects.flatMap((one) => selectorProblems(one, objects)),
    ...objects.flatMap((one) => bindingProblems(one, objects)),
    ...scopeProblems(objects),
  ];
}

export function nameOf({ kind, metadata }: ChartObject): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}

export function templateOf(object: ChartObject): Template | null {
  if (object.kind === 'Pod') return object as unknown as Template;
  if (object.kind !== 'Deployment') return null;
  return (object.spec as { template: Template }).template;
}

/** The one container of the operator's Deployment. */
export function operatorContainerOf(objects: readonly ChartObject[]): Container {
  return templateOf(only(objects, 'Deployment'))!.spec.containers[0]!;
}

function problemsOfObject(object: ChartObject): readonly string[] {
  const { metadata } = object;
  const template = templateOf(object);
  const told: string[] = [];
  if (metadata.name.length > 63) told.push('has a name of more than 63 characters');
  const labels = { ...metadata.labels, ...template?.metadata.labels };
  for (const [key, value] of Object.entries(labels)) {
    if (value.length > 63) told.push(`has a label ${key} of more than 63 characters`);
  }
  if (!isOfUser(object)) told.push(...ownershipProblems(object));
  told.push(...ruleProblems((object.rules ?? []) as readonly Rule[]));
  if (template !== null) told.push(...podProblems(object.kind, template.spec));
  return told.map((problem) => `${nameOf(object)} ${problem}`);
}

function ownershipProblems(object: ChartObject): readonly string[] {
  const { kind, metadata } = object;
  return untrue({
    'is not labelled as one of the release':
      metadata.labels?.['app.kubernetes.io/managed-by'] === 'Helm',
    'is written by the operator or the API server':
      !OF_THE_OPERATOR.includes(kind) && !('status' in object),
  });
}

/** Of `extraObjects`. */
function isOfUser({ metadata }: ChartObject): boolean {
  return metadata.labels === undefined;
}

function ruleProblems(rules: readonly Rule[]): readonly string[] {
  return rules.flatMap(({ verbs, resources = [], apiGroups = [] }) => [
    ...verbs.filter((verb) => FORBIDDEN_VERBS.includes(verb)).map((verb) => `may ${verb}`),
    ...[...resources, ...apiGroups].filter((one) => one.includes('*')).map(() => 'has a wildcard'),
    ...resources.filter((one) => /^(pods\/exec|nodes\/proxy|roles)/.test(one)),
    ...(resources.includes('secrets') && /list|watch|patch/.test(verbs.join())
      ? ['may read Secrets']
      : []),
  ]);
}

/** The sentences whose condition does not hold. */
function untrue(wanted: Readonly<Record<string, boolean>>): readonly string[] {
  return Object.entries(wanted).flatMap(([problem, isFine]) => (isFine ? [] : [problem]));
}

function podProblems(kind: string, spec: PodSpec): readonly string[] {
  const { securityContext, volumes = [] } = spec;
  return [
    ...untrue({
      'may run as root': securityContext?.runAsNonRoot === true,
      'has no seccomp profile': securityContext?.seccompProfile?.type === 'RuntimeDefault',
      'is in the host': ![spec.hostNetwork, spec.hostPID, spec.hostIPC].includes(true),
      'is told of every service of its namespace': spec.enableServiceLinks === false,
      'does not say if it has a token': spec.automountServiceAccountToken !== undefined,
    }),
    ...volumes.flatMap(volumeProblems),
    ...spec.containers.flatMap((one) => containerProblems(kind, one)),
  ];
}

function volumeProblems({ name, ...volume }: Readonly<Record<string, unknown>>): readonly string[] {
  const type = Object.keys(volume)[0] ?? '';
  const isLimited = type !== 'emptyDir' || 'sizeLimit' in (volume.emptyDir as object);
  return untrue({
    [`has a volume ${String(name)} of type ${type}`]: RESTRICTED_VOLUMES.includes(type),
    [`has a volume ${String(name)} without a limit`]: isLimited,
  });
}

function containerProblems(kind: string, container: Container): readonly string[] {
  const { securityContext = {}, resources, image, volumeMounts = [] } = container;
  const hasProbes = container.livenessProbe !== undefined && container.readinessProbe !== undefined;
  return [
    ...untrue({
      'may gain privileges': securityContext.allowPrivilegeEscalation === false,
      'writes to its root': securityContext.readOnlyRootFilesystem === true,
      'is privileged': securityContext.privileged !== true,
      'keeps capabilities': isDeepStrictEqual(securityContext.capabilities, { drop: ['ALL'] }),
      'has no fixed image': /(:(?!latest$)[^/:]+|@sha256:[0-9a-f]{64})$/.test(image),
      'mounts by subPath': volumeMounts.every((one) => one.subPath === undefined),
      'has no probes': kind !== 'Deployment' || hasProbes,
    }),
    ...resourceProblems(resources),
  ];
}

function resourceProblems(resources: Container['resources']): readonly string[] {
  return untrue({
    'reserves no CPU': resources?.requests?.cpu !== undefined,
    'reserves no memory': resources?.requests?.memory !== undefined,
    'has no memory limit': resources?.limits?.memory !== undefined,
  });
}

function twins(objects: readonly ChartObject[]): readonly string[] {
  const names = objects.map(nameOf);
  return names
    .filter((name, at) => names.indexOf(name) !== at)
    .map((name) => `${name} stands twice`);
}

/** Selectors of ours find the pods of the operator, all but those for pods that the operator makes. */
function selectorProblems(object: ChartObject, objects: readonly ChartObject[]): readonly string[] {
  const selector = selectorOf(object);
  if (selector === null || selector['app.kubernetes.io/component'] === 'server') return [];
  const found = objects.some((one) => {
    const labels = templateOf(one)?.metadata.labels ?? {};
    return (
      one.kind === 'Deployment' &&
      Object.entries(selector).every(([key, value]) => labels[key] === value)
    );
  });
  return found ? [] : [`${nameOf(object)} selects no pod of the operator`];
}

function selectorOf({ kind, spec }: ChartObject): Labels | null {
  const of = spec as {
    selector?: { matchLabels?: Labels };
    podSelector?: { matchLabels?: Labels };
  };
  if (kind === 'Service') return of.selector as Labels;
  if (kind === 'NetworkPolicy') return of.podSelector?.matchLabels ?? {};
  const named = ['Deployment', 'PodDisruptionBudget', 'ServiceMonitor', 'PodMonitor'];
  return named.includes(kind) ? (of.selector?.matchLabels ?? {}) : null;
}

function bindingProblems(object: ChartObject, objects: readonly ChartObject[]): readonly string[] {
  if (object.kind !== 'RoleBinding' && object.kind !== 'ClusterRoleBinding') return [];
  const { kind, name } = object.roleRef as { kind: string; name: string };
  const isThere = objects.some(
    (one) =>
      one.kind === kind &&
      one.metadata.name === name &&
      one.metadata.namespace === object.metadata.namespace,
  );
  return isThere ? [] : [`${nameOf(object)} binds ${kind} ${name}, which is not rendered`];
}

/** Without a ClusterRole of the operator nothing is cluster-wide but the definitions. */
function scopeProblems(objects: readonly ChartObject[]): readonly string[] {
  const isNamespaced = objects.some(
    ({ kind, metadata }) => kind === 'Role' && metadata.name.endsWith('-operator'),
  );
  if (!isNamespaced) return [];
  return objects.filter(({ kind }) => CLUSTER_WIDE.includes(kind)).map(nameOf);
}
