/**
 * The one catalogue of reasons: conditions, events, decisions, CLI errors and log lines use these names; metric labels
 * are their snake_case. A reason keeps its meaning for ever; people switch on it.
 */
import { platform } from './platform-reasons.ts';
import type { ReasonEntry } from './reason-entry.ts';

const service = {
  Serving: {
    meaning:
      'The endpoint answers for this generation (Ready), or requests may leave early (ExitsActive).',
    action: '',
  },
  Accepted: { meaning: 'The checks of the controller passed.', action: '' },
  InvalidSpec: {
    meaning: 'A field of the spec breaks a rule.',
    action: 'Fix the named field.',
  },
  NameConflict: {
    meaning: 'An object of the needed name exists and is not ours.',
    action: 'Remove the named foreign object or rename the service.',
  },
  ForeignOperator: {
    meaning: 'Another installation of the operator writes for this service.',
    action: 'Remove one of the two installations.',
  },
  PodTemplateRejected: {
    meaning: 'The API server refused the merged pod template.',
    action: 'Fix the field of pod or podTemplate that the message quotes.',
  },
  ConfigMapNotFound: {
    meaning: 'A ConfigMap named in the spec does not exist.',
    action: 'Create it; it is seen within 30 s.',
  },
  MinimumReplicasAvailable: { meaning: 'Enough pods are ready.', action: '' },
  Starting: { meaning: 'The first pods are starting.', action: 'Wait.' },
  Updating: { meaning: 'Pods are being replaced.', action: 'Wait.' },
  InsufficientAccelerators: {
    meaning: 'No node has a free accelerator of the requested resource.',
    action: 'Free the named resource or lower replicas.',
  },
  Unschedulable: {
    meaning: 'The scheduler finds no node for a pod.',
    action: 'Relax the constraint in the message or add nodes.',
  },
  ImagePullFailed: {
    meaning: 'A node cannot pull the server image.',
    action: 'Check image and pull secret.',
  },
  ContainerCreateFailed: {
    meaning: 'A node cannot create or start a container of a pod.',
    action:
      'Correct what the message names: a Secret, ConfigMap, key, command or mount, mostly of podTemplate.',
  },
  CrashLooping: {
    meaning: 'A server container ends again and again.',
    action: 'Read `kubectl logs -p` of the named pod.',
  },
  OutOfMemory: {
    meaning: 'A server container was killed for memory.',
    action: 'Raise the memory limit or lower maxBatchSize.',
  },
  BackboneFetchFailed: {
    meaning: 'The backbone cannot be read from its URI.',
    action: 'Check URI, credentials and CA.',
  },
  BackboneDigestMismatch: {
    meaning: 'The backbone file is not the one that backbone.digest names.',
    action: 'Correct the digest or the file.',
  },
  BackboneLoadFailed: {
    meaning: 'The engine cannot load the backbone.',
    action: 'Check the format; the message names the operator or field.',
  },
  EngineUnavailable: {
    meaning: 'The named engine does not start on this machine.',
    action: 'Use an image or driver that has it, or engine Auto.',
  },
  Forbidden: {
    meaning: 'The API server forbids a call of the operator.',
    action: 'Grant the named verb or raise the quota.',
  },
  ProgressDeadlineExceeded: {
    meaning: 'A rollout of pods or a loading step took longer than its deadline.',
    action: 'See status.lastFailure and `kubectl describe pod` of the pods that are not ready.',
  },
  ScaledToZero: { meaning: 'The service has no replicas by request.', action: '' },
  Suspended: { meaning: 'The service is suspended by its spec.', action: '' },
} as const satisfies Record<string, ReasonEntry>;

const policy = {
  AllReplicas: { meaning: 'Every ready pod acknowledged the policy.', action: '' },
  NoReplicas: { meaning: 'There is no pod to acknowledge a policy.', action: '' },
  WaitingForReplicas: {
    meaning: 'Some ready pods have not acknowledged the policy yet.',
    action: 'Wait.',
  },
  ReplicaUnreachable: {
    meaning: 'A pod does not answer on its admin port.',
    action: 'Check the network to port 8081.',
  },
  PolicyRejected: {
    meaning: 'A pod refused the policy; it goes on with the one in force.',
    action: 'Compare image and environment of the named pod with the others; it takes no exits.',
  },
  KnownAnswerMismatch: {
    meaning: 'Heads on a pod do not give the known answers of their bundle.',
    action: 'Replace the named pod or its node; it takes no exits.',
  },
  CertificateRejected: {
    meaning: 'A server recomputed a certificate and its counts do not support the lambda.',
    action:
      'Nothing to do: exits stay off there; report it, since it points to a version mismatch.',
  },
  CandidateMissing: {
    meaning: 'A server does not have the bundle of the candidate yet; its share is 0 there.',
    action: 'Wait: the bundle is brought within seconds; if it stays so, the bundle cannot be had.',
  },
  HeadMissing: {
    meaning: 'A server does not have the bundle of the stable heads; it refuses the policy.',
    action:
      'Wait: the bundle is brought and the policy repeated; if it stays so, restore the bundle.',
  },
  ModelMismatch: {
    meaning: 'A policy names another model than the server serves.',
    action: 'Send it to the right server.',
  },
  BackboneMismatch: {
    meaning: 'A policy or its heads belong to another backbone than the loaded one.',
    action: 'Wait for heads of this backbone; exits stay off.',
  },
  ExitMismatch: {
    meaning:
      'The heads of a bundle do not fit the exits of the policy or the cuts of the backbone.',
    action: 'Use heads that were trained for these exits.',
  },
  ActiveExitsInvalid: {
    meaning: 'The active exits of a policy are no beginning of the exits of their bundle.',
    action: 'Cut from an exit on; a certificate does not cover other subsets.',
  },
  CompanionUnsupported: {
    meaning: 'A policy names a companion that this server has not loaded.',
    action: 'See what the message says of the model, or remove the exit.',
  },
  EngineFailed: {
    meaning: 'The engine could not prepare the heads of a policy.',
    action: 'See the message and the log of the named pod.',
  },
  PolicyCrashed: {
    meaning: 'The process died twice while it applied this policy, so it is skipped.',
    action: 'Publish another policy; see the log of the named pod.',
  },
  PolicyPublished: { meaning: 'A new policy was published.', action: '' },
} as const satisfies Record<string, ReasonEntry>;

const exits = {
  Ramping: { meaning: 'A certified candidate takes a rising share of the traffic.', action: '' },
  NoExits: {
    meaning: 'The spec names no exits, or the backbone has no cut.',
    action: 'As configured; to have exits, name some that `layercache inspect MODEL` lists.',
  },
  Disabled: {
    meaning:
      'Exits are off by exitMode, by a budget of 0% or by request; `layercache exits on NAME` withdraws a request.',
    action: 'As configured.',
  },
  RecommendOnly: {
    meaning: 'tuning.mode is Recommend: heads are certified and not rolled out.',
    action: 'Accept a revision with heads.revision.',
  },
  NoHeads: {
    meaning: 'There are no heads and none are being trained.',
    action: 'Set heads.training.mode to Auto or heads.revision.',
  },
  CollectingSamples: {
    meaning: 'Rows for training heads are being collected; the backbone answers everything.',
    action: 'Wait: progress is in the message; more traffic makes it faster.',
  },
  Training: { meaning: 'Candidate heads are being trained.', action: 'Wait.' },
  Shadowing: {
    meaning: 'Heads run on audited rows to collect evidence and answer nothing.',
    action: 'Wait: progress is in the message; more traffic makes it faster.',
  },
  TrainingFailed: {
    meaning: 'The last training gave no heads.',
    action: 'See the message and the log of the trainer.',
  },
  RolloutAborted: {
    meaning: 'A candidate was taken back; the message names check, samples, value and limit.',
    action:
      'Nothing to do: stable or the backbone answers. Retry the revision or wait for other heads.',
  },
  NotCertified: {
    meaning: 'No lambda is proven within the budget at the required confidence.',
    action: 'Set a larger budget or bring better heads.',
  },
  NotWorthwhile: {
    meaning: 'The certified saving is below tuning.minSaving.',
    action: 'Offer earlier exits, or leave it: exits stay off.',
  },
  Alarm: {
    meaning: 'Audited answers are over the budget; exits are off.',
    action: 'Nothing to do: the heads are recertified or retrained.',
  },
  HeadsNotFound: {
    meaning: 'heads.revision names a revision that does not exist.',
    action: 'Pin another revision or remove the pin.',
  },
  HeadsIncompatible: {
    meaning:
      'The pinned heads belong to another service, another backbone or other exits, or have no bundle that can be loaded.',
    action: 'Pin another revision or remove heads.revision.',
  },
  HeadTooLarge: {
    meaning: 'The head bundle does not fit its store.',
    action: 'Use heads.store s3 or oci.',
  },
  TensorNotFound: {
    meaning: 'An exit names a tensor that is no cut of the backbone.',
    action: 'Use a name that `layercache inspect MODEL` lists.',
  },
  CompanionLoadFailed: {
    meaning: 'A companion model cannot be fetched or loaded; its exit is off.',
    action: 'Check URI, digest, format and classes of the named model.',
  },
  OutputAmbiguous: {
    meaning: 'The backbone has several outputs and none is named.',
    action: 'Set backbone.outputName.',
  },
  DriftHint: {
    meaning: 'A drift hint fired: audits are raised for a while, nothing else changes.',
    action: 'Nothing to do: the detector decides.',
  },
} as const satisfies Record<string, ReasonEntry>;

const evidence = {
  Certified: { meaning: 'A certificate is in force and the detector is quiet.', action: '' },
  BudgetExceeded: {
    meaning: 'The detector found answers over the budget.',
    action: 'Exits are already off; look at the traffic.',
  },
  NoCertificate: { meaning: 'No certificate is in force.', action: '' },
  InsufficientSamples: {
    meaning: 'Too few audited rows for a statement.',
    action: 'Send more traffic or raise accuracy.auditRate.',
  },
  EvidenceVoid: {
    meaning: 'Too many audits were lost, so the evidence does not count.',
    action: 'Add capacity: audits were shed under load.',
  },
  Recertifying: {
    meaning: 'After an alarm the same heads are tested again on fresh evidence.',
    action: 'Wait.',
  },
  PodDeviates: {
    meaning:
      "Audited answers of a pod are clearly nearer to the backbone's or further from them than those of the others: a certificate has to hold without them too.",
    action:
      'Compare image, accelerator and traffic of the named pod with the others; replace it if it is wrong.',
  },
  LambdaTightened: {
    meaning: 'A later look certified a smaller lambda, which is in force at once.',
    action: '',
  },
} as const satisfies Record<string, ReasonEntry>;

const rollout = {
  Promoted: { meaning: 'The last candidate became stable.', action: '' },
  NoRollout: { meaning: 'There is no candidate.', action: '' },
  Staging: { meaning: 'The candidate is being loaded on every pod.', action: 'Wait.' },
  Paused: {
    meaning: 'The rollout is held by request; aborts still fire.',
    action: 'Resume it with `layercache rollout resume NAME`, or set rollout.paused to false.',
  },
  Inconclusive: {
    meaning: 'A check has no verdict: no, stale, too few or void figures.',
    action:
      'Send more traffic, or `layercache rollout promote NAME` or `layercache rollout abort NAME`.',
  },
  NotBetter: {
    meaning: 'The candidate is not better than what is in force.',
    action: 'Nothing to do: stable stays.',
  },
  Aborted: {
    meaning: 'The candidate failed a check.',
    action: 'Retry the revision, or wait for other heads.',
  },
  AbortedByUser: { meaning: 'The candidate was aborted by request.', action: '' },
  LoadFailed: {
    meaning: 'Pods could not load the candidate in time.',
    action: 'See the message; request a retry once it is mended, or bring other heads.',
  },
  CrashedPods: {
    meaning: 'Pods crashed within two minutes of loading the candidate.',
    action: 'See the log of the named pods; request a retry only after a fix.',
  },
  Superseded: {
    meaning: 'A change of the spec made the candidate pointless.',
    action: 'Nothing to do: the next candidate follows.',
  },
  RolloutStarted: { meaning: 'A certified candidate began its first step.', action: '' },
  RolloutStepAdvanced: { meaning: 'Every check of a step passed; the share rose.', action: '' },
  RolloutPromoted: { meaning: 'A candidate passed its last step and is stable now.', action: '' },
  ExitsEnabled: { meaning: 'Exits may answer from now on.', action: '' },
  ExitsDisabled: {
    meaning: 'Exits were switched off; the backbone answers everything.',
    action: 'See the message for the cause.',
  },
} as const satisfies Record<string, ReasonEntry>;

const training = {
  Completed: { meaning: 'The last training gave a revision.', action: '' },
  Running: { meaning: 'A training is running.', action: 'Wait.' },
  Cooldown: { meaning: 'The next training waits for heads.training.cooldown.', action: 'Wait.' },
  WaitingForSamples: {
    meaning: 'Training waits for more rows.',
    action: 'Wait, or send more traffic.',
  },
  RevisionPinned: { meaning: 'heads.revision pins a revision; training pauses.', action: '' },
  Failed: {
    meaning: 'The training ended with an error.',
    action: 'See the log of the trainer and its resources.',
  },
  TooFewRows: {
    meaning: 'There are too few rows to train heads on.',
    action: 'Send more traffic; the message says how many rows are missing.',
  },
  DeadlineExceeded: {
    meaning: 'The training took longer than heads.training.deadline.',
    action: 'Give the trainer more CPU or raise the deadline.',
  },
  UploadFailed: {
    meaning: 'The trainer could not store its bundle.',
    action: 'Check the push secret of heads.store.',
  },
  TrainingStarted: { meaning: 'A training of candidate heads began.', action: '' },
  TrainingSucceeded: { meaning: 'A training gave candidate heads.', action: '' },
} as const satisfies Record<string, ReasonEntry>;

/** Every reason there is, by group in the order of the reference (`charts/layercache/docs/reasons.md`). */
export const REASON_GROUPS = {
  service,
  policy,
  exits,
  evidence,
  rollout,
  training,
  platform,
} as const;

/** Name of a reason. */
export type Reason =
  | keyof typeof service
  | keyof typeof policy
  | keyof typeof exits
  | keyof typeof evidence
  | keyof typeof rollout
  | keyof typeof training
  | keyof typeof platform;

/** Each reason with its meaning and what to do. */
export const REASONS: Readonly<Record<Reason, ReasonEntry>> = {
  ...service,
  ...policy,
  ...exits,
  ...evidence,
  ...rollout,
  ...training,
  ...platform,
};

/** Whether the catalogue has that name; a newer operator may write others. */
export function isReason(name: string): name is Reason {
  return Object.hasOwn(REASONS, name);
}
