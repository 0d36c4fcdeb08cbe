import type { Reason } from '../../../crds/v1alpha1/reasons.ts';
import type { DeploymentFacts, PodFacts } from './facts.ts';

/** Why a pod does not get ready. */
export interface PodTrouble {
  readonly reason: Reason;
  readonly what: string;
}

interface Context {
  readonly deployment: DeploymentFacts;
  /** A pod is leaving, so its node's devices and memory will be free soon. */
  readonly isMakingRoom: boolean;
}

type PodCheck = (pod: PodFacts, context: Context) => PodTrouble | null;

/** What the server itself says comes first, then how it ended, then why it never began. */
const CHECKS: readonly PodCheck[] = [
  failsToLoad,
  runsOutOfMemory,
  cannotBeCreated,
  endsAgainAndAgain,
  hasNoImage,
  findsNoNode,
];

/** The first trouble of any pod that is not ready, with how many more have the same; null: nothing to be seen. */
export function findPodTrouble(
  pods: readonly PodFacts[],
  deployment: DeploymentFacts,
): PodTrouble | null {
  const waiting = pods.filter(({ isReady, isTerminating }) => !isReady && !isTerminating);
  const context = { deployment, isMakingRoom: pods.some(({ isTerminating }) => isTerminating) };
  for (const check of CHECKS) {
    const found = waiting.flatMap((pod) => {
      const trouble = check(pod, context);
      return trouble === null ? [] : [{ pod, trouble }];
    });
    const [first, ...rest] = found;
    if (first === undefined) continue;
    const { pod, trouble } = first;
    const others = rest.length > 0 ? ` (and ${rest.length} more)` : '';
    return { reason: trouble.reason, what: `Pod ${pod.name}${others}: ${trouble.what}` };
  }
  return null;
}

/** A pod that waits without a trouble of its own, as the kubelet says it; for messages of Starting. */
export function describeWaiting(pods: readonly PodFacts[]): string | null {
  for (const { name, waiting, isTerminating } of pods) {
    if (waiting === null || isTerminating) continue;
    const { reason, message } = waiting;
    return `Pod ${name}: ${reason}${message === '' ? '' : `: ${message}`}`;
  }
  return null;
}

function failsToLoad({ server }: PodFacts): PodTrouble | null {
  const said = server?.state;
  if (said === undefined || said === null || said.loaded) return null;
  const { failure, failedAttempts } = said.state.loading;
  if (failure === null) return null;
  const times = failedAttempts > 1 ? ` (attempt ${failedAttempts})` : '';
  return { reason: failure.code, what: `${failure.message.replace(/\.$/, '')}${times}` };
}

function runsOutOfMemory({ lastEnd }: PodFacts): PodTrouble | null {
  if (lastEnd?.reason !== 'OOMKilled') return null;
  return { reason: 'OutOfMemory', what: `container ${lastEnd.container} was killed for memory.` };
}

/** What a kubelet says before a process of the container has run, or has got as far as its first line. */
const CREATION_REASONS: ReadonlySet<string> = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
  'RunContainerError',
]);
/** What a container runtime says of a container whose process it could not start: there is no log to read. */
const START_REASONS: ReadonlySet<string> = new Set(['StartError', 'ContainerCannotRun']);

function cannotBeCreated({ waiting, lastEnd }: PodFacts): PodTrouble | null {
  const reason = 'ContainerCreateFailed';
  if (lastEnd !== null && START_REASONS.has(lastEnd.reason)) {
    const { container, reason: why, message } = lastEnd;
    return { reason, what: `container ${container} does not start: ${why}: ${message}` };
  }
  if (waiting === null || !CREATION_REASONS.has(waiting.reason)) return null;
  return { reason, what: `${waiting.reason}: ${waiting.message}` };
}

const RESTARTS_OF_A_LOOP = 2;

function endsAgainAndAgain({ waiting, restarts, lastEnd }: PodFacts): PodTrouble | null {
  const isLooping = waiting?.reason === 'CrashLoopBackOff' || restarts >= RESTARTS_OF_A_LOOP;
  if (!isLooping) return null;
  const end =
    lastEnd === null
      ? ''
      : ` with exit code ${lastEnd.exitCode}${lastEnd.message === '' ? '' : `: ${lastEnd.message}`}`;
  return { reason: 'CrashLooping', what: `ended ${countTimes(restarts)}${end}` };
}

function countTimes(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

const IMAGE_REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);

function hasNoImage({ waiting }: PodFacts): PodTrouble | null {
  if (waiting === null || !IMAGE_REASONS.has(waiting.reason)) return null;
  return { reason: 'ImagePullFailed', what: `${waiting.reason}: ${waiting.message}` };
}

/** While a pod leaves, the one that waits for its place is no trouble yet. */
function findsNoNode({ unschedulable }: PodFacts, context: Context): PodTrouble | null {
  if (unschedulable === null || context.isMakingRoom) return null;
  // The scheduler says what is missing in this sentence and nowhere else.
  const missing = context.deployment.acceleratorNames.find((name) =>
    unschedulable.includes(`Insufficient ${name}`),
  );
  if (missing !== undefined) {
    return {
      reason: 'InsufficientAccelerators',
      what: `no node has a free ${missing}: ${unschedulable}`,
    };
  }
  const isClaim = /cannot allocate all claims|resourceclaim/i.test(unschedulable);
  return { reason: isClaim ? 'InsufficientAccelerators' : 'Unschedulable', what: unschedulable };
}
