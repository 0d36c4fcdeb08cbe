import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import { REASONS, type Reason } from '../../../crds/v1alpha1/reasons.ts';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { StatusFacts } from './facts.ts';
import { requiredPods } from './required-pods.ts';
import { withNextStep } from './verdict.ts';

/** An event to emit once the status that it belongs to is written. */
export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: Reason;
  readonly message: string;
}

/** Conditions that repeat others. */
const SUMMARIES: ReadonlySet<string> = new Set(['Ready', 'Stalled']);

/** What happened between two statuses: each reason that asks for an action when it appears, and a few good news. */
export function planEvents(
  facts: StatusFacts,
  next: ServiceStatus,
  conditions: readonly Condition[],
): PlannedEvent[] {
  return [
    ...conditions.flatMap((condition) => warning(condition, facts.previous)),
    ...backboneLoaded(facts.previous, next),
    ...policyPublished(facts.previous, next),
    ...backboneNotPinned(facts),
    ...updateWillInterrupt(facts, next),
  ];
}

function warning(
  { type, status, reason, message }: Condition,
  previous: ServiceStatus,
): PlannedEvent[] {
  const before = previous.conditions?.find((condition) => condition.type === type);
  if (SUMMARIES.has(type) || status === 'True' || before?.reason === reason) return [];
  // Reasons of conditions come from the catalogue.
  const known = reason as Reason;
  return asksForAction(known) ? [{ type: 'Warning', reason: known, message }] : [];
}

/** Waiting and what was configured are no actions. */
function asksForAction(reason: Reason): boolean {
  const { action } = REASONS[reason];
  return action !== '' && !/^(Nothing to do|Wait|As configured)\b/.test(action);
}

function backboneLoaded(previous: ServiceStatus, { backbone }: ServiceStatus): PlannedEvent[] {
  if (backbone?.digest === undefined || previous.backbone?.digest === backbone.digest) return [];
  const { digest, format, engine, device } = backbone;
  const message = `Backbone ${digest} (${String(format)}) is loaded by ${String(engine)} on ${String(device)}.`;
  return [{ type: 'Normal', reason: 'BackboneLoaded', message }];
}

function policyPublished(previous: ServiceStatus, { policy }: ServiceStatus): PlannedEvent[] {
  const { epoch, revision } = policy ?? {};
  if (epoch === undefined || revision === undefined) return [];
  const before = previous.policy;
  if (before?.epoch === epoch && before.revision === revision) return [];
  const message = `Policy ${epoch}.${revision} is published.`;
  return [{ type: 'Normal', reason: 'PolicyPublished', message }];
}

/** Once per generation: what is fetched under a URI without a digest may change from pod to pod. */
function backboneNotPinned({ spec, previous, generation }: StatusFacts): PlannedEvent[] {
  if (spec === null || previous.observedGeneration === generation) return [];
  const { uri, digest } = spec.backbone;
  if (digest !== undefined || !/^(https|s3|oci):/.test(uri)) return [];
  const what = `${shownUri(uri)} has no digest, so pods may load different files`;
  const { action } = REASONS.BackboneNotPinned;
  return [{ type: 'Warning', reason: 'BackboneNotPinned', message: withNextStep(what, action) }];
}

/** Where an address leads, without what may be a secret: credentials before its host, and the signature in a query. */
function shownUri(uri: string): string {
  return uri.replace(/[?#].*$/s, '').replace(/^([a-z0-9+.-]+:\/\/)[^/@]*@/i, '$1');
}

/** When a roll begins that must take the only pod away first. */
function updateWillInterrupt(facts: StatusFacts, next: ServiceStatus): PlannedEvent[] {
  const { deployment, previous } = facts;
  const reasonOf = (status: ServiceStatus): string | undefined =>
    status.conditions?.find(({ type }) => type === 'Available')?.reason;
  if (reasonOf(next) !== 'Updating' || reasonOf(previous) === 'Updating') return [];
  if (deployment?.wantedReplicas !== 1) return [];
  if (requiredPods(facts, deployment) > 1 || !isZero(deployment.maxSurge)) return [];
  const what =
    'The only pod is replaced without surge: the endpoint is away until the new one is ready';
  const { action } = REASONS.UpdateWillInterrupt;
  return [{ type: 'Warning', reason: 'UpdateWillInterrupt', message: withNextStep(what, action) }];
}

function isZero(amount: number | string): boolean {
  return amount === 0 || amount === '0%';
}
