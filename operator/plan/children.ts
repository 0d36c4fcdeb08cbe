import { findNameConflict, type NameConflict } from './conflicts.ts';
import type { Installation, ServiceDefaults } from './defaults.ts';
import { planDeployment, type DeploymentPlan } from './deployment.ts';
import { planPodDisruptionBudget } from './disruption-budget.ts';
import { planService } from './endpoint.ts';
import { planHorizontalPodAutoscaler } from './autoscaler.ts';
import type { LiveObject } from './live-object.ts';
import { planNetworkPolicies } from './network-policy.ts';
import { isOwnedBy } from './owner.ts';
import type { ServiceToPlan } from './service.ts';
import { planServiceAccounts } from './service-accounts.ts';
import type { TemplateProblem } from './template-problem.ts';

export interface ChildrenInput {
  readonly service: ServiceToPlan;
  readonly defaults: ServiceDefaults;
  readonly installation: Installation;
  readonly adminGeneration: number;
  /** Live objects that have the name of a child, and all that carry our owner UID. */
  readonly live: readonly LiveObject[];
  /** The spec fails a check that a pod would trip over, such as a missing ConfigMap: pods stay as they are. */
  readonly isDeploymentHeld: boolean;
}

/** What to do, in this order: apply, then remove. */
export interface ChildrenPlan {
  readonly apply: readonly LiveObject[];
  /** Ours and no longer wanted; delete under UID and resourceVersion. */
  readonly remove: readonly LiveObject[];
  readonly conflicts: readonly NameConflict[];
  readonly templateProblems: readonly TemplateProblem[];
  /** Version of the template that is applied; null when none is. */
  readonly templateVersion: number | null;
  readonly isTemplateKept: boolean;
}

const NOTHING: ChildrenPlan = {
  apply: [],
  remove: [],
  conflicts: [],
  templateProblems: [],
  templateVersion: null,
  isTemplateKept: false,
};

/** Kinds that a changed spec may make superfluous. */
const REMOVABLE: ReadonlySet<string> = new Set([
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
  'NetworkPolicy',
  'ServiceAccount',
]);

/**
 * The workload children of a service: accounts first, then what pods need, then the Deployment and what watches over it. A
 * service that is being deleted plans nothing: the garbage collector does the rest. A child whose name a foreign object
 * holds is left out, the others are planned.
 */
export function planChildren(input: ChildrenInput): ChildrenPlan {
  const { service, live } = input;
  if (service.isDeleted) return NOTHING;
  const deployment = planDeployment({ ...input, live: find(live, 'Deployment', service.name) });
  const wanted = wantedChildren(input, deployment);
  const conflicts = wanted.flatMap(
    (child) => findNameConflict(service, findSame(live, child)) ?? [],
  );
  const isFree = (child: LiveObject): boolean =>
    !conflicts.some(({ kind, name }) => kind === child.kind && name === child.metadata.name);
  const isHeld = ({ kind }: LiveObject): boolean => kind === 'Deployment' && input.isDeploymentHeld;
  return {
    apply: wanted.filter((child) => isFree(child) && !isHeld(child)),
    remove: live.filter(
      (object) =>
        REMOVABLE.has(object.kind) &&
        isOwnedBy(object, service.uid) &&
        object.metadata.deletionTimestamp === undefined &&
        findSame(wanted, object) === null,
    ),
    conflicts,
    templateProblems: deployment.ok ? [] : deployment.problems,
    templateVersion: deployment.ok ? deployment.templateVersion : null,
    isTemplateKept: deployment.ok && deployment.isTemplateKept,
  };
}

function wantedChildren(input: ChildrenInput, deployment: DeploymentPlan): LiveObject[] {
  const { service } = input;
  const children: readonly (object | null)[] = [
    ...planServiceAccounts(service),
    ...planNetworkPolicies(input),
    planService(service),
    deployment.ok ? deployment.deployment : null,
    planHorizontalPodAutoscaler(service),
    planPodDisruptionBudget(service),
  ];
  // Every renderer sets apiVersion, kind and metadata with a name.
  return children.filter((child) => child !== null) as LiveObject[];
}

function find(live: readonly LiveObject[], kind: string, name: string): LiveObject | null {
  return live.find((object) => object.kind === kind && object.metadata.name === name) ?? null;
}

function findSame(
  objects: readonly LiveObject[],
  { kind, metadata }: LiveObject,
): LiveObject | null {
  return find(objects, kind, metadata.name);
}
