import type { CachedModelServiceSpec } from '../../../crds/v1alpha1/cached-model-service.ts';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { PodState } from '../../../crds/wire/loading-state.ts';
import type { NameConflict } from '../conflicts.ts';
import type { NamedConfigMap } from '../named-config-maps.ts';
import type { PinVerdict } from './assess-pin.ts';
import type { SelectedExits } from '../select-exits.ts';
import type { Verdict } from './verdict.ts';
import type { TemplateProblem } from '../template-problem.ts';

/** Whether a pod has the policy that was published last in force, as the fleet judges its acknowledgement. */
export interface PolicyVerdict {
  readonly code:
    | 'Acknowledged'
    | 'WaitingForReplicas'
    | 'ReplicaUnreachable'
    | 'PolicyRejected'
    | 'KnownAnswerMismatch';
  /** One sentence that names the pod; empty when acknowledged. */
  readonly message: string;
}

/** What a pod said on its admin port. */
export interface ServerFacts {
  /** The last well-formed answer; null before the first. */
  readonly state: PodState | null;
  /** Null: there is no policy yet, and nothing is wrong with the pod. */
  readonly policy: PolicyVerdict | null;
}

export interface PodFacts {
  readonly name: string;
  readonly uid: string;
  readonly isReady: boolean;
  readonly isTerminating: boolean;
  /** Why a container does not run, as the kubelet says it; null: it runs, or is only being created. */
  readonly waiting: { readonly reason: string; readonly message: string } | null;
  readonly restarts: number;
  /** The last end of a container that was no success. */
  readonly lastEnd: ContainerEnd | null;
  /** The scheduler's words; null: the pod has a node. */
  readonly unschedulable: string | null;
  readonly server: ServerFacts | null;
}

export interface ContainerEnd {
  readonly container: string;
  readonly reason: string;
  readonly exitCode: number;
  readonly message: string;
  readonly timeMs: number;
}

export interface DeploymentFacts {
  /** The Deployment controller has seen the last change. */
  readonly isObserved: boolean;
  readonly wantedReplicas: number;
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
  readonly availableReplicas: number;
  /** Pods that may be missing during a roll; 0 with Recreate. */
  readonly maxUnavailable: number | string;
  readonly maxSurge: number | string;
  readonly acceleratorNames: readonly string[];
  /** Why pods cannot be created, as admission or quota say it; null: they can. */
  readonly replicaFailure: string | null;
  /** What the controller says of a roll that is late; null: in time. */
  readonly deadlineExceeded: string | null;
}

/** A call that the API server forbade. */
export interface Refusal {
  readonly verb: string;
  /** Plural, as in a Role: `deployments`. */
  readonly resource: string;
  readonly message: string;
}

/** A child that the API server calls invalid; the same one is not sent again. */
export interface Rejection {
  readonly kind: string;
  readonly name: string;
  readonly message: string;
}

export interface AutoscalerFacts {
  /** Condition `ScalingActive` of the autoscaler; null before its first. */
  readonly scalingActive: {
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  } | null;
}

/** What the lifecycle says of heads; a verdict that is null leaves it to the rest of the facts. */
export interface LifecycleFacts {
  readonly exitsActive: Verdict | null;
  readonly withinBudget: Verdict | null;
  readonly rolloutSucceeded: Verdict | null;
  /** Null: nothing is trained. */
  readonly trained: Verdict | null;
  /** By exit that answers: the share of requests that leave there. */
  readonly exitedShares: ReadonlyMap<string, string>;
  /** What became of the last request about heads; null: there was none. */
  readonly request: NonNullable<ServiceStatus['request']> | null;
  readonly status: Pick<ServiceStatus, 'heads' | 'rollout' | 'accuracy' | 'tuning' | 'training'>;
}

/** Everything a status is a function of; gathered, never asked for. */
export interface StatusFacts {
  readonly nowMs: number;
  readonly name: string;
  readonly namespace: string;
  readonly generation: number;
  /** Null: it breaks a rule; `specProblem` says which. */
  readonly spec: CachedModelServiceSpec | null;
  readonly specProblem: string | null;
  readonly previous: ServiceStatus;
  readonly conflicts: readonly NameConflict[];
  readonly missingConfigMaps: readonly NamedConfigMap[];
  /** Of the merge, and of the API server's dry run. */
  readonly templateProblems: readonly TemplateProblem[];
  readonly isTemplateKept: boolean;
  readonly refusals: readonly Refusal[];
  /** Children other than the Deployment, whose rejections are problems of the template. */
  readonly rejections: readonly Rejection[];
  readonly deployment: DeploymentFacts | null;
  readonly pods: readonly PodFacts[];
  readonly autoscaler: AutoscalerFacts | null;
  readonly policy: {
    readonly epoch: number;
    readonly revision: number;
    readonly hash: string;
  } | null;
  /** Null before a backbone is loaded. */
  readonly exits: SelectedExits | null;
  /** What became of `heads.revision`; null: nothing is pinned, or it is not known yet. */
  readonly pinnedHeads: PinVerdict | null;
  readonly templateVersion: number | null;
  readonly adminGeneration: number;
  readonly request: ServiceStatus['request'];
  /** `Held`: nothing can be decided now, so what was said last stands; null: there are no heads and never were. */
  readonly lifecycle: LifecycleFacts | 'Held' | null;
}
