import { serializePolicy } from '../../../crds/wire/policy.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { PolicyContent } from '../../lifecycle/types.ts';
import { toKubeObject } from '../../kube/apply.ts';
import {
  findForeignInstallation,
  findNameConflict,
  type NameConflict,
} from '../../plan/conflicts.ts';
import type { ChildrenInput, ChildrenPlan } from '../../plan/children.ts';
import type { Installation, ServiceDefaults } from '../../plan/defaults.ts';
import { ANNOTATIONS, policyConfigMapName } from '../../plan/names.ts';
import { planPolicyConfigMap, storedEpoch } from '../../plan/policy-config-map.ts';
import { planAdminGeneration, type AdminGenerationPlan } from '../../plan/request.ts';
import type { ServiceToPlan } from '../../plan/service.ts';
import { decidePolicy, type PolicyDecision } from './decide-policy.ts';
import { liveOf, type Gathered } from './gather.ts';
import type { StoredByUs } from './service-memory.ts';

export interface DecideInput {
  readonly gathered: Gathered;
  readonly installation: Installation;
  readonly defaults: ServiceDefaults;
  readonly remembered: StoredByUs | null;
  readonly writer: string;
  readonly leaseTransitions: number;
  /** As in PolicyInput. */
  readonly content?: PolicyContent | null;
  readonly mustClaim?: boolean;
  /** A bundle in base64, to lie beside the policy; null: it is not known. */
  readonly bundleOf: (headRevision: string) => string | null;
  readonly planChildren: (input: ChildrenInput) => ChildrenPlan;
}

/** A policy with what lies beside it. */
export interface PlannedPolicy extends PolicyDecision {
  /** Base64; null without heads, or when they lie in a remote store. */
  readonly stableBundle: string | null;
  /** The object that holds it, rendered when it is asked for: most passes find it stored already. */
  readonly toConfigMap: () => KubeObject;
}

/** What one pass shall do. */
export interface Decision {
  readonly service: ServiceToPlan;
  readonly admin: AdminGenerationPlan;
  /** Null: a foreign object has the name of the policy ConfigMap. */
  readonly policy: PlannedPolicy | null;
  readonly children: ChildrenPlan;
  readonly conflicts: readonly NameConflict[];
  /** Pods would trip over something: the Deployment stays as it is. */
  readonly isDeploymentHeld: boolean;
}

/** The installation that writes for this service instead of this one; null: none. */
export function decideForeign(
  { object, live }: Gathered,
  installation: Installation,
): string | null {
  const { name, uid = '' } = object.metadata;
  const policy = liveOf({ live }, 'ConfigMap', policyConfigMapName(name));
  return findForeignInstallation({ uid }, policy, installation);
}

/**
 * Whether another process has claimed a higher epoch than this one: it leads, and this one has not heard of it yet. Without
 * stepping back two leaders would claim one epoch above the other for ever.
 */
export function isSuperseded(
  { object, live }: Gathered,
  { remembered, writer }: Pick<DecideInput, 'remembered' | 'writer'>,
): boolean {
  const policy = liveOf({ live }, 'ConfigMap', policyConfigMapName(object.metadata.name));
  if (remembered === null || policy === null) return false;
  if (policy.metadata.annotations?.[ANNOTATIONS.writer] === writer) return false;
  return storedEpoch(policy) > remembered.epoch;
}

/** Pure: the same facts give the same objects. */
export function decide(input: DecideInput, service: ServiceToPlan): Decision {
  const { gathered, installation, defaults } = input;
  const { live, previous, nowMs, missingConfigMaps, hasUnknownConfigMap } = gathered;
  const admin = planAdminGeneration(service, previous, nowMs);
  const livePolicy = liveOf(gathered, 'ConfigMap', policyConfigMapName(service.name));
  const conflict = findNameConflict(service, livePolicy);
  const isDeploymentHeld = missingConfigMaps.length > 0 || hasUnknownConfigMap || conflict !== null;
  const { adminGeneration } = admin;
  const children = input.planChildren({
    ...{ service, defaults, installation, adminGeneration, live, isDeploymentHeld },
  });
  return {
    ...{ service, admin, children, isDeploymentHeld },
    policy:
      conflict === null
        ? withConfigMap(input, service, decidePolicy({ ...input, service, live: livePolicy }))
        : null,
    conflicts: conflict === null ? children.conflicts : [conflict, ...children.conflicts],
  };
}

function withConfigMap(
  { installation, bundleOf }: DecideInput,
  service: ServiceToPlan,
  decision: PolicyDecision,
): PlannedPolicy {
  const { epoch, writer, policy } = decision;
  const stableBundle = policy?.stable ? bundleOf(policy.stable.headRevision) : null;
  const toConfigMap = (): KubeObject => {
    const text = policy === null ? null : serializePolicy(policy);
    const stored = { policy: text, stableBundle, epoch, writer };
    return toKubeObject(planPolicyConfigMap({ service, installation, stored }));
  };
  return { ...decision, stableBundle, toConfigMap };
}
