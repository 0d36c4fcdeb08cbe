// Facts of a healthy service: one ready pod that acknowledged the policy. A test says what is otherwise.
import type { Condition } from '../../../../../crds/v1alpha1/conditions.ts';
import type { ServiceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import type { LoadFailureCode } from '../../../../../crds/wire/loading-state.ts';
import type { OutputProblem } from '../../../../../crds/wire/state.ts';
import { assessConditions } from '../../../../../operator/plan/status/conditions.ts';
import type {
  ContainerEnd,
  DeploymentFacts,
  PodFacts,
  ServerFacts,
  StatusFacts,
} from '../../../../../operator/plan/status/facts.ts';
import { aState, DIGEST_A } from '../../../crds/documents.ts';
import { aService } from '../../../crds/v1alpha1/service.ts';

export const NOW_MS = Date.parse('2026-11-25T10:00:00Z');
export const BEFORE = '2026-11-25T09:00:00Z';

type Spec = NonNullable<StatusFacts['spec']>;

export function aSpec(spec: Readonly<Record<string, unknown>> = {}): Spec {
  return aService({ ...spec }).spec;
}

export function someFacts(fields: Partial<StatusFacts> = {}): StatusFacts {
  return {
    nowMs: NOW_MS,
    name: 'vision',
    namespace: 'ml',
    generation: 2,
    spec: aSpec(),
    specProblem: null,
    previous: {},
    conflicts: [],
    missingConfigMaps: [],
    templateProblems: [],
    isTemplateKept: false,
    refusals: [],
    rejections: [],
    deployment: aDeployment(),
    pods: [aPod()],
    autoscaler: null,
    policy: { epoch: 4, revision: 17, hash: 'sha256:p' },
    exits: {
      exits: [
        { name: 'early', tensor: 'layer1_out', mode: 'Active', macsShare: 0.3, msShare: 0.3 },
      ],
      missing: [],
      companions: [],
    },
    pinnedHeads: null,
    templateVersion: 1,
    adminGeneration: 1,
    request: undefined,
    lifecycle: null,
    ...fields,
  };
}

/** A Deployment of one pod that is there and available. */
export function aDeployment(fields: Partial<DeploymentFacts> = {}): DeploymentFacts {
  return {
    isObserved: true,
    wantedReplicas: 1,
    replicas: 1,
    readyReplicas: 1,
    updatedReplicas: 1,
    availableReplicas: 1,
    maxUnavailable: 0,
    maxSurge: 1,
    acceleratorNames: [],
    replicaFailure: null,
    deadlineExceeded: null,
    ...fields,
  };
}

/** A Deployment of as many pods of which none is available. */
export function aDeploymentWithout(
  wantedReplicas = 1,
  fields: Partial<DeploymentFacts> = {},
): DeploymentFacts {
  return aDeployment({
    wantedReplicas,
    replicas: wantedReplicas,
    updatedReplicas: wantedReplicas,
    readyReplicas: 0,
    availableReplicas: 0,
    ...fields,
  });
}

export function aPod(fields: Partial<PodFacts> = {}): PodFacts {
  return {
    name: 'vision-a',
    uid: 'pod-a',
    isReady: true,
    isTerminating: false,
    waiting: null,
    restarts: 0,
    lastEnd: null,
    unschedulable: null,
    server: aServer(),
    ...fields,
  };
}

/** A pod that is not ready and says nothing. */
export function aPodWithout(fields: Partial<PodFacts> = {}): PodFacts {
  return aPod({ isReady: false, server: null, ...fields });
}

export function aServer(fields: Partial<ServerFacts> = {}): ServerFacts {
  return {
    state: { loaded: true, state: aState({ companions: [] }) },
    policy: { code: 'Acknowledged', message: '' },
    ...fields,
  };
}

/** What a server says that cannot load its backbone; null: it is at it. */
export function aLoadingServer(
  failure: { readonly code: LoadFailureCode; readonly message: string } | null,
  failedAttempts = 1,
): ServerFacts {
  return aServer({
    policy: null,
    state: {
      loaded: false,
      state: {
        schemaVersion: 1,
        version: '0.1.0',
        podUid: 'pod-a',
        bootId: 'boot-1',
        model: 'vision',
        loading: { step: 'Fetching', failedAttempts, failure },
        companions: [],
      },
    },
  });
}

/** A ready pod whose backbone has no class output. */
export function aPodWithNoClass(code: OutputProblem['code'], message: string): PodFacts {
  const state = aState({ companions: [] });
  const none = { outputName: null, outputKind: null, classCount: 0 };
  const backbone = { ...state.backbone, ...none, outputProblem: { code, message } };
  return aPod({
    server: aServer({ state: { loaded: true, state: { ...state, backbone, cuts: [] } } }),
  });
}

export function anEnd(fields: Partial<ContainerEnd> = {}): ContainerEnd {
  return {
    container: 'server',
    reason: 'Error',
    exitCode: 1,
    message: 'something broke',
    timeMs: NOW_MS - 60_000,
    ...fields,
  };
}

export function aCondition(type: string, fields: Partial<Condition> = {}): Condition {
  return {
    type,
    status: 'True',
    reason: 'Serving',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: BEFORE,
    ...fields,
  };
}

/** `True Serving: message` of one condition; null: the condition is left out. */
export function conditionOf(type: string, facts: Partial<StatusFacts>): string | null {
  const found = assessConditions(someFacts(facts)).find((condition) => condition.type === type);
  return found === undefined ? null : `${found.status} ${found.reason}: ${found.message}`;
}

/** A status that a pass before has written. */
export function aStatus(fields: Partial<ServiceStatus> = {}): ServiceStatus {
  return { observedGeneration: 2, backbone: { digest: DIGEST_A }, ...fields };
}
