import type { REASON_GROUPS } from '../../v1alpha1/reasons.ts';
import type { ReasonPage } from './reason-page.ts';

const ACKNOWLEDGEMENT = 'acknowledgement of a pod, quoted in the message of PolicyApplied';
const POD_LOG =
  '`kubectl -n NAMESPACE logs POD` has the same as a line `policy rejected` or `policy applied`.';

const BUNDLE =
  'Condition Available of the revision says whether its bundle can be had, and from where: `kubectl -n NAMESPACE get cacheheadrevisions`.';

export const POLICY_PAGES = {
  AllReplicas: {
    seen: ['PolicyApplied=True'],
    check: 'The message has epoch and revision of the policy.',
  },
  NoReplicas: { seen: ['PolicyApplied=True'], check: 'Condition Available says why.' },
  WaitingForReplicas: {
    seen: ['PolicyApplied=Unknown', 'revision Available=Unknown'],
    check:
      'The message counts pods. A policy reaches a pod within a second, or by its mounted ConfigMap within two minutes. If it stays so, see runbook [LayercachePolicySkew](../runbooks/LayercachePolicySkew.md).',
  },
  ReplicaUnreachable: {
    seen: ['PolicyApplied=False', 'event'],
    check:
      '`kubectl -n NAMESPACE get networkpolicies`: one of yours must let the operator in on port 8081. The message has the error of the connection.',
  },
  PolicyRejected: {
    seen: ['PolicyApplied=False', 'event'],
    check: `The message has the reason of the pod in brackets, which has its own page here. ${POD_LOG}`,
  },
  KnownAnswerMismatch: {
    seen: ['PolicyApplied=False', 'event'],
    check:
      'The message names pod and bundle. One pod: its node computes wrongly. All pods: they run another engine than the trainer expects; report it.',
  },
  CertificateRejected: {
    seen: [ACKNOWLEDGEMENT],
    check: `Do all pods run one image? \`kubectl -n NAMESPACE get pods -l layercache.io/service=NAME -o jsonpath={..imageID}\`. ${POD_LOG}`,
  },
  CandidateMissing: { seen: [ACKNOWLEDGEMENT], check: `${BUNDLE} ${POD_LOG}` },
  HeadMissing: { seen: [ACKNOWLEDGEMENT], check: `${BUNDLE} ${POD_LOG}` },
  ModelMismatch: {
    seen: [ACKNOWLEDGEMENT],
    check:
      'Only by hand: somebody sent a policy to the admin port of another model, or edited `NAME-policy`.',
  },
  BackboneMismatch: {
    seen: [ACKNOWLEDGEMENT],
    check:
      'Usual while a new backbone rolls. If it stays: pods have loaded different files, since the URI has no digest; compare `digest` in `layercache_backbone_info`.',
  },
  ExitMismatch: {
    seen: [ACKNOWLEDGEMENT],
    check: 'Heads of your own: compare `spec.exits` of service and CacheHeadRevision.',
  },
  ActiveExitsInvalid: {
    seen: [ACKNOWLEDGEMENT],
    check: 'Only by hand: the operator does not write such a policy.',
  },
  CompanionUnsupported: {
    seen: [ACKNOWLEDGEMENT],
    check:
      'The message has exit, digest and cause. Until it is loaded there, exits are off on that pod.',
  },
  EngineFailed: {
    seen: [ACKNOWLEDGEMENT],
    check: `${POD_LOG} Memory is the usual cause: a plan with new heads is built before the old one ends.`,
  },
  PolicyCrashed: {
    seen: [ACKNOWLEDGEMENT],
    check: '`kubectl -n NAMESPACE logs -p POD` ends with what ended the process.',
  },
  PolicyPublished: { seen: ['event'], check: 'PolicyApplied says which pods follow it.' },
} as const satisfies Record<keyof typeof REASON_GROUPS.policy, ReasonPage>;
