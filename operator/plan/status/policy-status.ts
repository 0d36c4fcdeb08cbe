import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { StatusFacts } from './facts.ts';
import { hasApplied, readyPods } from './policy-applied.ts';
import { toTime } from './time.ts';

/** The policy published last, and who has it; `appliedTime` stays as long as the policy does. */
export function planPolicyStatus(facts: StatusFacts): ServiceStatus['policy'] {
  const { policy, previous, nowMs } = facts;
  if (policy === null) return previous.policy;
  const { epoch, revision, hash } = policy;
  const pods = readyPods(facts);
  const appliedReplicas = pods.filter(hasApplied).length;
  const before = previous.policy;
  const isSame = before?.epoch === epoch && before.revision === revision;
  const isDone = appliedReplicas > 0 && appliedReplicas === pods.length;
  const appliedTime = (isSame ? before.appliedTime : undefined) ?? (isDone ? toTime(nowMs) : null);
  const status = { epoch, revision, hash, appliedReplicas };
  return appliedTime === null ? status : { ...status, appliedTime };
}
