// The Deployment controller and the kubelets, as coarse as a reconciler can tell: pods of the wanted template and number are
// there at once, run and are ready; those of other templates go. Or pods stay on their way, and a deadline passes.
import type { KubeObject } from '../../../operator/kube/api.ts';
import type { Clock } from '../../../operator/clock.ts';
import { canonicalJson } from '../../../crds/wire/json.ts';
import { oncePerObject } from '../../../operator/plan/once-per-object.ts';
import { fakePod, type FakePod } from '../../support/fake-pod.ts';
import type { SimulatedClient, SimulatedCluster } from '../../support/simulated-api.ts';

/** What pods do instead of becoming ready: have no container yet, or run and say nothing. */
export type Stuck = 'Creating' | 'Silent';

interface Actor {
  readonly client: SimulatedClient;
  readonly cluster: SimulatedCluster;
  readonly pods: Map<string, FakePod>;
  readonly clock: Clock;
  readonly stuck: Stuck | null;
}

interface DeploymentSpec {
  readonly replicas?: number;
  readonly progressDeadlineSeconds?: number;
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: { readonly volumes?: unknown };
  };
}

export async function runDeployments(actor: Actor): Promise<void> {
  for (const deployment of actor.cluster.objects('Deployment')) {
    const { deletionTimestamp, labels = {} } = deployment.metadata;
    const isOfService = 'layercache.io/service' in labels;
    if (deletionTimestamp === undefined && isOfService) await runDeployment(actor, deployment);
  }
}

async function runDeployment(actor: Actor, deployment: KubeObject): Promise<void> {
  const { name, namespace = '', uid = '' } = deployment.metadata;
  const spec = deployment.spec as DeploymentSpec;
  const replicas = spec.replicas ?? 1;
  const hash = hashOf(spec.template);
  const wanted = Array.from({ length: replicas }, (_, index) => `${name}-${hash}-${index}`);
  const pods = actor.cluster
    .objects('Pod')
    .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
  for (const pod of pods) {
    if (!wanted.includes(pod.metadata.name)) {
      await actor.client.delete({ kind: 'Pod', namespace, name: pod.metadata.name });
    }
  }
  const missing = wanted.filter((pod) => !pods.some(({ metadata }) => metadata.name === pod));
  for (const pod of missing) await startPod(actor, deployment, pod);
  const status = statusOf(actor, deployment, { ...spec, replicas });
  if (canonicalJson(deployment.status) === canonicalJson(status)) return;
  await actor.client.mergePatch(
    { kind: 'Deployment', namespace, name },
    { status },
    { subresource: 'status', fieldManager: 'deployment-controller' },
  );
}

function statusOf(
  actor: Actor,
  deployment: KubeObject,
  spec: DeploymentSpec & { readonly replicas: number },
): object {
  const { replicas } = spec;
  const ready = actor.stuck === null ? replicas : 0;
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas,
    readyReplicas: ready,
    updatedReplicas: replicas,
    availableReplicas: ready,
    ...(isLate(actor, deployment, spec) ? { conditions: [LATE] } : {}),
  };
}

/** Its deadline has passed without a pod more. */
function isLate({ stuck, clock }: Actor, { metadata }: KubeObject, spec: DeploymentSpec): boolean {
  const { progressDeadlineSeconds = 600 } = spec;
  const madeMs = Date.parse(metadata.creationTimestamp ?? '');
  return stuck !== null && clock.nowMs() - madeMs > progressDeadlineSeconds * 1_000;
}

const LATE = {
  type: 'Progressing',
  status: 'False',
  reason: 'ProgressDeadlineExceeded',
  message: 'ReplicaSet has timed out progressing.',
};

async function startPod(
  { client, pods, stuck }: Actor,
  deployment: KubeObject,
  name: string,
): Promise<void> {
  const { namespace = '', uid = '' } = deployment.metadata;
  const { template } = deployment.spec as DeploymentSpec;
  const { apiVersion, kind } = deployment;
  const owner = { apiVersion, kind, name: deployment.metadata.name, uid, controller: true };
  const pod = await client.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: template.metadata.labels, ownerReferences: [owner] },
    spec: template.spec,
  });
  const ip = `10.0.0.${pods.size + 1}`;
  if (stuck !== null) {
    await client.mergePatch(
      { kind: 'Pod', namespace, name },
      { status: { podIP: ip, ...STUCK[stuck] } },
      { subresource: 'status', fieldManager: 'kubelet' },
    );
    return;
  }
  pods.set(pod.metadata.uid ?? '', fakePod(pod.metadata.uid ?? '', { name, ip }));
  const conditions = [
    { type: 'PodScheduled', status: 'True' },
    { type: 'Ready', status: 'True' },
  ];
  await client.mergePatch(
    { kind: 'Pod', namespace, name },
    { status: { phase: 'Running', podIP: ip, conditions } },
    { subresource: 'status', fieldManager: 'kubelet' },
  );
}

const SCHEDULED = { type: 'PodScheduled', status: 'True' };
const STUCK: Readonly<Record<Stuck, object>> = {
  Creating: {
    phase: 'Pending',
    conditions: [SCHEDULED],
    containerStatuses: [{ name: 'server', state: { waiting: { reason: 'ContainerCreating' } } }],
  },
  Silent: { phase: 'Running', conditions: [SCHEDULED, { type: 'Ready', status: 'False' }] },
};

/** Short, and another for another template. */
const hashOf = oncePerObject((template: DeploymentSpec['template']): string => {
  let hash = 0;
  for (const character of canonicalJson(template)) {
    hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
  }
  return hash.toString(16);
});
