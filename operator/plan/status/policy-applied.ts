import { comparePair } from '../../../crds/wire/policy.ts';
import type { PodFacts, StatusFacts } from './facts.ts';
import { countPods, toVerdict, type Verdict } from './verdict.ts';

/** How long a word of a pod counts (api.md 8). */
export const ANSWER_MAX_AGE_MS = 90_000;

/** Whether a pod acknowledged the policy that was published last; heads that answer wrongly are no acknowledgement. */
export function hasApplied(pod: PodFacts, facts: Pick<StatusFacts, 'policy' | 'nowMs'>): boolean {
  const acknowledgement = pod.server?.acknowledgement ?? null;
  if (acknowledgement === null || facts.policy === null || isSilent(pod, facts)) return false;
  return (
    comparePair(acknowledgement, facts.policy) === 0 &&
    acknowledgement.result !== 'Rejected' &&
    pod.server?.givesKnownAnswers === true
  );
}

/** No answer for 90 s, counted from when the pod got ready at the earliest. */
function isSilent(pod: PodFacts, { nowMs }: Pick<StatusFacts, 'nowMs'>): boolean {
  const heardMs = Math.max(pod.server?.answeredMs ?? 0, pod.readySinceMs);
  return nowMs - heardMs > ANSWER_MAX_AGE_MS;
}

/** Only acknowledgements count; pods that are not ready or leaving are not asked. */
export function readyPods({ pods }: Pick<StatusFacts, 'pods'>): PodFacts[] {
  return pods.filter(({ isReady, isTerminating }) => isReady && !isTerminating);
}

export function assessPolicyApplied(facts: StatusFacts): Verdict {
  const pods = readyPods(facts);
  if (pods.length === 0) return toVerdict('True', 'NoReplicas', 'There is no ready pod to ask.');
  const trouble = answersWrongly(pods) ?? refusesThePolicy(pods, facts) ?? staysSilent(pods, facts);
  if (trouble !== null) return trouble;
  const applied = pods.filter((pod) => hasApplied(pod, facts)).length;
  if (facts.policy === null) {
    const what = `${countPods(pods.length)} ready; the first policy follows once one has told its backbone`;
    return toVerdict('Unknown', 'WaitingForReplicas', what);
  }
  const { epoch, revision } = facts.policy;
  const what = `${applied} of ${countPods(pods.length)} acknowledged policy ${epoch}.${revision}`;
  return applied === pods.length
    ? toVerdict('True', 'AllReplicas', what)
    : toVerdict('Unknown', 'WaitingForReplicas', what);
}

function answersWrongly(pods: readonly PodFacts[]): Verdict | null {
  const pod = pods.find(({ server }) => server?.givesKnownAnswers === false);
  if (pod === undefined) return null;
  const what = `Heads on pod ${pod.name} do not give the known answers of their bundle`;
  return toVerdict('False', 'KnownAnswerMismatch', what);
}

function refusesThePolicy(pods: readonly PodFacts[], facts: StatusFacts): Verdict | null {
  for (const pod of pods) {
    const acknowledgement = pod.server?.acknowledgement ?? null;
    if (acknowledgement?.result !== 'Rejected' || isSilent(pod, facts)) continue;
    const { reason, message } = acknowledgement;
    const what = `Pod ${pod.name} refused it (${reason}): ${message}`;
    return toVerdict('False', 'PolicyRejected', what);
  }
  return null;
}

function staysSilent(pods: readonly PodFacts[], facts: StatusFacts): Verdict | null {
  const silent = pods.filter((pod) => isSilent(pod, facts));
  const [first] = silent;
  if (first === undefined) return null;
  const others = silent.length > 1 ? ` (and ${silent.length - 1} more)` : '';
  const what = `Pod ${first.name}${others} did not answer on its admin port for ${ANSWER_MAX_AGE_MS / 1000} s; it serves on with the policy that it has`;
  return toVerdict('False', 'ReplicaUnreachable', what);
}
