import type { PodFacts, PolicyVerdict, StatusFacts } from './facts.ts';
import { countPods, toVerdict, type Verdict } from './verdict.ts';

/** Pods that are asked: those that are leaving, or not ready yet, are not waited for. */
export function readyPods({ pods }: Pick<StatusFacts, 'pods'>): PodFacts[] {
  return pods.filter(({ isReady, isTerminating }) => isReady && !isTerminating);
}

export function hasApplied({ server }: PodFacts): boolean {
  return server?.policy?.code === 'Acknowledged';
}

/** What is told first when pods differ: what is wrong before what is late. */
const TROUBLES = ['KnownAnswerMismatch', 'PolicyRejected', 'ReplicaUnreachable'] as const;

/** Whether every ready pod acknowledged the policy that was published last. Nothing but acknowledgements counts. */
export function assessPolicyApplied(facts: StatusFacts): Verdict {
  const pods = readyPods(facts);
  if (pods.length === 0) return toVerdict('True', 'NoReplicas', 'There is no ready pod to ask.');
  for (const code of TROUBLES) {
    const [first, ...rest] = pods.flatMap((pod) => verdictsOf(pod, code));
    if (first === undefined) continue;
    const others = rest.length > 0 ? ` (and ${countPods(rest.length)} more)` : '';
    return toVerdict('False', code, `${withoutStop(first.message)}${others}`);
  }
  if (facts.policy === null) {
    const what = `${countPods(pods.length)} ready; the first policy follows once one has told its backbone`;
    return toVerdict('Unknown', 'WaitingForReplicas', what);
  }
  const { epoch, revision } = facts.policy;
  const applied = pods.filter(hasApplied).length;
  const what = `${applied} of ${countPods(pods.length)} acknowledged policy ${epoch}.${revision}`;
  return applied === pods.length
    ? toVerdict('True', 'AllReplicas', what)
    : toVerdict('Unknown', 'WaitingForReplicas', what);
}

function verdictsOf({ server }: PodFacts, code: PolicyVerdict['code']): PolicyVerdict[] {
  const verdict = server?.policy ?? null;
  return verdict?.code === code ? [verdict] : [];
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
