import type { REASON_GROUPS } from '../../v1alpha1/reasons.ts';
import type { ReasonPage } from './reason-page.ts';

const ENDED = 'RolloutSucceeded=False';
const PENDING = 'RolloutSucceeded=Unknown';
const STATUS =
  '`kubectl -n NAMESPACE get cachedmodelservice NAME -o jsonpath={.status.rollout}` has step, share and the verdict of each check.';
const RETRY = 'Annotation `layercache.io/request: retry:REVISION` has it tried again.';

export const ROLLOUT_PAGES = {
  Promoted: {
    seen: ['RolloutSucceeded=True'],
    check: '`status.heads.stable` has the revision and since when.',
  },
  NoRollout: { seen: ['RolloutSucceeded=True'], check: 'ExitsActive says whether one will come.' },
  Staging: {
    seen: [PENDING, 'event'],
    check:
      '`status.rollout.loadedReplicas` counts the pods that have the bundle; PolicyApplied names one that has not.',
  },
  Paused: {
    seen: [PENDING, 'event'],
    check:
      '`spec.rollout.paused` is true, or annotation `layercache.io/rollout: paused` stands, which `layercache rollout pause NAME` writes. Too large a disagreement or F1 loss still aborts.',
  },
  Inconclusive: {
    seen: [PENDING, 'event'],
    check: `${STATUS} See runbook [LayercacheRolloutStuck](../runbooks/LayercacheRolloutStuck.md).`,
  },
  NotBetter: {
    seen: [ENDED, 'Trained=False', 'event'],
    check: 'The message compares both savings.',
  },
  Aborted: {
    seen: [ENDED, 'event'],
    check: `The message has check, samples, value and limit; \`status.heads.failed\` keeps the last ten. ${RETRY}`,
  },
  AbortedByUser: {
    seen: [ENDED, 'event'],
    check: 'Annotation `layercache.io/request` asked for it; `status.request` has when.',
  },
  LoadFailed: {
    seen: [ENDED, 'event'],
    check: `The message names a pod and what it lacks: the bundle in its store, credentials, or memory. \`kubectl -n NAMESPACE logs POD\`. ${RETRY}`,
  },
  CrashedPods: {
    seen: [ENDED, 'event'],
    check: `\`kubectl -n NAMESPACE logs -p POD\` ends with the cause. ${RETRY}`,
  },
  Superseded: {
    seen: [ENDED, 'event'],
    check: 'The message says which change of the spec it was.',
  },
  RolloutStarted: { seen: ['event'], check: STATUS },
  RolloutStepAdvanced: { seen: ['event'], check: STATUS },
  RolloutPromoted: { seen: ['event'], check: '`status.heads.stable` has the revision.' },
  ExitsEnabled: { seen: ['event'], check: 'ExitsActive is True from then on.' },
  ExitsDisabled: {
    seen: ['event'],
    check:
      'ExitsActive has the reason, which has its own page here. See runbook [LayercacheExitsOff](../runbooks/LayercacheExitsOff.md).',
  },
} as const satisfies Record<keyof typeof REASON_GROUPS.rollout, ReasonPage>;
