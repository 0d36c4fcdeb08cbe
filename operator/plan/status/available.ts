import type { DeploymentFacts, Refusal, StatusFacts } from './facts.ts';
import { describeWaiting, findPodTrouble } from './pod-troubles.ts';
import { requiredPods } from './required-pods.ts';
import { assessValid } from './valid.ts';
import { countPods, toVerdict, type Verdict } from './verdict.ts';

/** What the checks look at, once there is a Deployment. */
interface Scene {
  readonly facts: StatusFacts;
  readonly deployment: DeploymentFacts;
  readonly required: number;
  /** False: the endpoint lacks pods. Unknown: it answers, but not yet for this generation. */
  readonly shortfall: 'False' | 'Unknown';
}

/** From the cause that says most to the one that says least. */
const CHECKS: readonly ((scene: Scene) => Verdict | null)[] = [
  isForbidden,
  hasEnoughPods,
  cannotCreatePods,
  hasPodTrouble,
  isLate,
  isOnItsWay,
];

/**
 * Whether enough pods are ready for this generation. While old pods still serve during a roll the answer is Unknown, so
 * nobody is told that the endpoint is down and nobody takes the roll for done.
 */
export function assessAvailable(facts: StatusFacts): Verdict {
  const { deployment, spec } = facts;
  if (spec?.suspend === true) {
    return toVerdict('False', 'Suspended', 'spec.suspend is true: there are no pods.');
  }
  if (deployment === null) return notCreated(facts);
  if (deployment.wantedReplicas === 0 && (spec === null || isZeroWanted(facts))) {
    return toVerdict('False', 'ScaledToZero', 'The service has 0 replicas, as asked for.');
  }
  const required = requiredPods(facts, deployment);
  const shortfall = deployment.availableReplicas >= required ? 'Unknown' : 'False';
  const scene = { facts, deployment, required, shortfall } as const;
  for (const check of CHECKS) {
    const verdict = check(scene);
    if (verdict !== null) return verdict;
  }
  return starting(scene);
}

/** By the spec, or by hand where an autoscaler would have to begin: both were asked for. */
function isZeroWanted({ spec }: StatusFacts): boolean {
  return spec?.replicas === 0 || spec?.autoscaling !== undefined;
}

function notCreated(facts: StatusFacts): Verdict {
  const [refusal] = facts.refusals;
  if (refusal !== undefined) return toVerdict('False', 'Forbidden', describeRefusal(refusal));
  if (assessValid(facts).status === 'False') {
    const message = 'The Deployment is made once condition Valid is True: see its message.';
    return { status: 'False', reason: 'Starting', message };
  }
  return toVerdict('False', 'Starting', 'The Deployment is not there yet.');
}

function describeRefusal({ verb, resource, message }: Refusal): string {
  return `The operator may not ${verb} ${resource}: ${message}`;
}

function isForbidden({ facts, deployment, shortfall }: Scene): Verdict | null {
  const [refusal] = facts.refusals;
  if (refusal === undefined) return null;
  const { availableReplicas } = deployment;
  const ready = availableReplicas > 0 ? ` (${countPods(availableReplicas)} ready meanwhile)` : '';
  return toVerdict(shortfall, 'Forbidden', `${describeRefusal(refusal)}${ready}`);
}

function hasEnoughPods({ facts, deployment, shortfall }: Scene): Verdict | null {
  const { isObserved, replicas, updatedReplicas, readyReplicas, wantedReplicas } = deployment;
  if (shortfall === 'False' || !isObserved || replicas !== updatedReplicas) return null;
  const trouble = readyReplicas < wantedReplicas ? findPodTrouble(facts.pods, deployment) : null;
  const rest = trouble === null ? '' : ` ${trouble.what}`;
  const what = `${readyReplicas} of ${countPods(wantedReplicas)} ready.${rest}`;
  return toVerdict('True', 'MinimumReplicasAvailable', what);
}

function cannotCreatePods({ deployment, shortfall }: Scene): Verdict | null {
  if (deployment.replicaFailure === null) return null;
  return toVerdict(shortfall, 'Forbidden', `Pods cannot be created: ${deployment.replicaFailure}`);
}

function hasPodTrouble({ facts, deployment, shortfall }: Scene): Verdict | null {
  const trouble = findPodTrouble(facts.pods, deployment);
  return trouble === null ? null : toVerdict(shortfall, trouble.reason, trouble.what);
}

function isLate({ facts, deployment, shortfall }: Scene): Verdict | null {
  if (deployment.deadlineExceeded === null) return null;
  const waiting = describeWaiting(facts.pods);
  const what = waiting ?? deployment.deadlineExceeded;
  return toVerdict(shortfall, 'ProgressDeadlineExceeded', what);
}

/** Old pods are there or leaving; or they were a moment ago and the new ones still load. */
function isOnItsWay({ facts, deployment, shortfall }: Scene): Verdict | null {
  const { replicas, updatedReplicas, readyReplicas, wantedReplicas } = deployment;
  const before = facts.previous.conditions?.find(({ type }) => type === 'Available');
  const isRolling =
    replicas > updatedReplicas ||
    facts.pods.some(({ isTerminating }) => isTerminating) ||
    before?.reason === 'Updating';
  if (!isRolling) return null;
  const what = `${updatedReplicas} of ${countPods(wantedReplicas)} replaced, ${readyReplicas} ready`;
  return toVerdict(shortfall, 'Updating', what);
}

function starting({ facts, deployment, required, shortfall }: Scene): Verdict {
  const { availableReplicas } = deployment;
  const waiting = describeWaiting(facts.pods);
  const what = `${availableReplicas} of ${countPods(required)} ready${waiting === null ? '' : `. ${waiting}`}`;
  return toVerdict(shortfall, 'Starting', what);
}
