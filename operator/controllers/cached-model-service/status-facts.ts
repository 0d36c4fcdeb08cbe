import { createHash } from 'node:crypto';
import { serializePolicy, type Policy } from '../../../crds/wire/policy.ts';
import { assessAcknowledgement, assessAnswering } from '../../fleet/assess-acknowledgement.ts';
import type { KubeObject } from '../../kube/api.ts';
import { ownershipOf } from '../../kube/owner.ts';
import { policyConfigMapName } from '../../plan/names.ts';
import { oncePerObject } from '../../plan/once-per-object.ts';
import { storedPolicy } from '../../plan/policy-config-map.ts';
import { assessPin } from '../../plan/status/assess-pin.ts';
import type { PodFacts, ServerFacts, StatusFacts } from '../../plan/status/facts.ts';
import { readAutoscaler, readDeployment } from '../../plan/status/read-deployment.ts';
import { readPod } from '../../plan/status/read-pod.ts';
import type { ChildKind } from '../caches.ts';
import { decideExits } from './decide-policy.ts';
import type { Decision } from './decide.ts';
import type { HeadRevisionFacts } from '../../lifecycle/types.ts';
import { liveOf, type Gathered } from './gather.ts';
import type { PassAttempt } from './pass-attempt.ts';

/** What a status is made of: the objects as they are after the pass, and what the pass came to. */
export function toStatusFacts(
  gathered: Gathered,
  decision: Decision | null,
  attempt: Attempted,
  { lifecycle, heads }: HeadFacts,
): StatusFacts {
  const { object, service, previous, specProblem, missingConfigMaps, pinned, nowMs } = gathered;
  const { name, namespace = '', generation = 0 } = object.metadata;
  const policy = storedPolicy(ownLive(gathered, 'ConfigMap', policyConfigMapName(name)));
  const backboneDigest = policy?.backboneDigest ?? null;
  return {
    lifecycle,
    ...{ nowMs, name, namespace, generation, previous, specProblem, missingConfigMaps },
    spec: service?.spec ?? null,
    refusals: attempt.refusals,
    ...rejectionFacts(name, decision, attempt),
    ...decisionFacts(previous, decision),
    ...workloadFacts(gathered),
    pods: readPods(gathered, policy, heads),
    policy: policy === null ? null : policyFacts(policy),
    exits: decideExits(gathered, policy),
    pinnedHeads:
      service === null
        ? null
        : assessPin({ ...service, serviceName: name, pinned, backboneDigest }),
  };
}

type Attempted = Pick<PassAttempt, 'refusals' | 'rejections'>;

interface HeadFacts {
  readonly lifecycle: StatusFacts['lifecycle'];
  /** Bundles that were read, by revision. */
  readonly heads: ReadonlyMap<string, Pick<HeadRevisionFacts, 'knownAnswers'>>;
}

function decisionFacts(
  previous: StatusFacts['previous'],
  decision: Decision | null,
): Pick<
  StatusFacts,
  'conflicts' | 'isTemplateKept' | 'templateVersion' | 'adminGeneration' | 'request'
> {
  if (decision === null) {
    const { adminGeneration = 1, request } = previous;
    const nothing = { conflicts: [], isTemplateKept: false, templateVersion: null };
    return { ...nothing, adminGeneration, request };
  }
  const { conflicts, children, admin } = decision;
  const { isTemplateKept, templateVersion } = children;
  return { ...admin, conflicts, isTemplateKept, templateVersion };
}

/** What the API server says of a Deployment it does not take is a problem of the pod template. */
function rejectionFacts(
  name: string,
  decision: Decision | null,
  { rejections }: Attempted,
): Pick<StatusFacts, 'templateProblems' | 'rejections'> {
  const ofTemplate = rejections.filter(({ kind }) => kind === 'Deployment');
  return {
    templateProblems: [
      ...(decision?.children.templateProblems ?? []),
      ...ofTemplate.map(({ message }) => ({ path: `Deployment ${name}`, message })),
    ],
    rejections: rejections.filter((rejection) => !ofTemplate.includes(rejection)),
  };
}

function workloadFacts(gathered: Gathered): Pick<StatusFacts, 'deployment' | 'autoscaler'> {
  const { name } = gathered.object.metadata;
  const deployment = ownLive(gathered, 'Deployment', name);
  const autoscaler = ownLive(gathered, 'HorizontalPodAutoscaler', name);
  return {
    deployment: deployment === null ? null : readDeployment(deployment),
    autoscaler: autoscaler === null ? null : readAutoscaler(autoscaler),
  };
}

function ownLive(gathered: Gathered, kind: ChildKind, name: string): KubeObject | null {
  const live = liveOf(gathered, kind, name);
  return ownershipOf(live, gathered.object.metadata.uid ?? '') === 'Ours' ? live : null;
}

const policyFacts = oncePerObject((policy: Policy): NonNullable<StatusFacts['policy']> => {
  const hash = createHash('sha256').update(serializePolicy(policy)).digest('hex');
  return { epoch: policy.epoch, revision: policy.revision, hash: `sha256:${hash}` };
});

function readPods(
  { pods, views, monotonicMs }: Gathered,
  policy: Policy | null,
  heads: HeadFacts['heads'],
): PodFacts[] {
  const knownAnswers = new Map(
    [...heads].map(([headRevision, head]) => [headRevision, head.knownAnswers] as const),
  );
  const read = pods.map((pod) => {
    const view = views.find((one) => one.pod.uid === pod.metadata.uid);
    if (view === undefined) return readPod(pod, null);
    const verdict =
      policy === null
        ? assessAnswering(view, monotonicMs)
        : assessAcknowledgement(view, { policy, knownAnswers }, monotonicMs);
    const server: ServerFacts = { state: view.state, policy: verdict };
    return readPod(pod, server);
  });
  return read.sort((a, b) => (a.name < b.name ? -1 : 1));
}
