import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import { compact } from '../compact.ts';
import { endpointUrl } from '../endpoint.ts';
import { selectorText } from '../labels.ts';
import { planBackboneStatus, planExitStatus } from './backbone-status.ts';
import { assessConditions } from './conditions.ts';
import { planEvents, type PlannedEvent } from './events.ts';
import type { LifecycleFacts, StatusFacts } from './facts.ts';
import { planInputs } from './inputs-held.ts';
import { planLastFailure } from './last-failure.ts';
import { nextCheckMs } from './next-check.ts';
import { planPolicyStatus } from './policy-status.ts';

export interface StatusPlan {
  /** The whole status, for one server-side apply. */
  readonly status: ServiceStatus;
  /** To emit after it is written. */
  readonly events: readonly PlannedEvent[];
  /** When to look again though nothing was reported. */
  readonly nextCheckMs: number;
}

/** The status of a service out of what was observed. The same facts give the same status. */
export function planStatus(facts: StatusFacts): StatusPlan {
  const { deployment, previous } = facts;
  const conditions = assessConditions(facts);
  const status = compact<ServiceStatus>({
    ...previous,
    ...headFields(facts),
    observedGeneration: facts.generation,
    conditions,
    replicas: deployment?.replicas ?? 0,
    readyReplicas: deployment?.readyReplicas ?? 0,
    updatedReplicas: deployment?.updatedReplicas ?? 0,
    availableReplicas: deployment?.availableReplicas ?? 0,
    selector: selectorText(facts.name),
    url: endpointUrl(facts),
    templateVersion: facts.templateVersion ?? previous.templateVersion,
    adminGeneration: facts.adminGeneration,
    backbone: planBackboneStatus(facts),
    exits: planExitStatus(facts),
    policy: planPolicyStatus(facts),
    inputs: planInputs(facts),
    request: latestRequest(facts),
    lastFailure: planLastFailure(facts),
  });
  return { status, events: planEvents(facts, status, conditions), nextCheckMs: nextCheckMs(facts) };
}

/** What was said last stands while nothing can be decided. */
function headFields({ lifecycle }: StatusFacts): Partial<LifecycleFacts['status']> {
  return lifecycle === null || lifecycle === 'Held' ? {} : lifecycle.status;
}

/** Keys and heads are asked for by the same annotation: the later answer counts. */
function latestRequest({ request, lifecycle }: StatusFacts): ServiceStatus['request'] {
  const ofHeads = lifecycle === null || lifecycle === 'Held' ? null : lifecycle.request;
  if (ofHeads === null || request === undefined) return ofHeads ?? request;
  return String(request.time) > String(ofHeads.time) ? request : ofHeads;
}
