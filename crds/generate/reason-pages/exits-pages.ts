import type { REASON_GROUPS } from '../../v1alpha1/reasons.ts';
import type { ReasonPage } from './reason-page.ts';

const OFF = 'ExitsActive=False';
const INSPECT = '`layercache inspect MODEL` lists the cuts of the backbone.';

export const EXITS_PAGES = {
  Ramping: {
    seen: ['ExitsActive=True', 'RolloutSucceeded=Unknown'],
    check: '`status.rollout` has step, share and the verdict of each check.',
  },
  NoExits: {
    seen: [OFF],
    check: `An empty list in \`spec.exits\`, or a backbone without a cut: the message says which. ${INSPECT}`,
  },
  Disabled: {
    seen: [OFF, '`status.exits`'],
    check:
      'The message names what does it: `spec.exitMode`, a budget of 0 %, or annotation `layercache.io/exits`.',
  },
  RecommendOnly: {
    seen: [OFF, 'event'],
    check: '`status.tuning` has the revision and what it would save.',
  },
  NoHeads: {
    seen: [OFF, '`status.exits`', 'event'],
    check:
      '`spec.heads.training.mode` or `spec.tuning.mode` is Off, and `spec.heads.revision` names none.',
  },
  CollectingSamples: {
    seen: [OFF],
    check:
      'The message says how many rows are missing. No progress: does traffic arrive (`sum(rate(layercache_rows_total[5m]))`), and does it opt out?',
  },
  Training: {
    seen: [OFF],
    check: '`kubectl -n NAMESPACE get jobs` shows `NAME-train-N`; its log has the progress.',
  },
  Shadowing: {
    seen: [OFF, 'RolloutSucceeded=Unknown', 'event'],
    check:
      'The message says at how many audited rows the next look is. Small budgets need many rows: about 10 / budget.',
  },
  TrainingFailed: {
    seen: [OFF, 'event'],
    check:
      'Condition Trained has the cause: how its last pod ended, or a reason that has its own page here.',
  },
  RolloutAborted: {
    seen: [OFF, 'event'],
    check:
      '`status.heads.failed` keeps revision, reason and time. See runbook [LayercacheRolloutAborted](../runbooks/LayercacheRolloutAborted.md).',
  },
  NotCertified: {
    seen: [OFF, 'RolloutSucceeded=False', 'revision Certified=False', 'event'],
    check:
      'The message has the disagreement, or the F1 loss, seen at the smallest lambda. See runbook [LayercacheNeverCertifies](../runbooks/LayercacheNeverCertifies.md).',
  },
  NotWorthwhile: {
    seen: [OFF, 'RolloutSucceeded=False', 'revision Certified=False', 'event'],
    check:
      'The message has the saving that was certified; `spec.tuning.minSaving` is the limit. Models under a millisecond save little.',
  },
  Alarm: {
    seen: [OFF, 'event'],
    check:
      'Since when, and which exit? Service board, *Agreement* by exit. Has the traffic changed, or was the backbone replaced?',
  },
  HeadsNotFound: {
    seen: [OFF, 'event'],
    check: '`kubectl -n NAMESPACE get cacheheadrevisions` lists those that are there.',
  },
  HeadsIncompatible: {
    seen: [OFF, 'event'],
    check:
      'The message says what differs. `kubectl -n NAMESPACE get cacheheadrevisions -o yaml` shows service, backbone digest and exits of each.',
  },
  HeadTooLarge: {
    seen: [OFF, 'revision Available=False', 'event', 'event of the revision'],
    check: 'The message has size and limit: 900 KiB in a ConfigMap, 64 MiB in a store.',
  },
  TensorNotFound: {
    seen: [OFF, '`status.exits`', 'event'],
    check: `The message has the nearest names. ${INSPECT}`,
  },
  CompanionLoadFailed: {
    seen: [OFF, '`status.exits`', 'event'],
    check: 'The message has exit, model and cause. The other exits go on.',
  },
  OutputAmbiguous: {
    seen: [OFF, '`status.exits`', 'event'],
    check: 'The message lists the outputs; `layercache inspect MODEL` shows their shapes.',
  },
  DriftHint: {
    seen: ['event'],
    check:
      '`max by (kind, pod) (layercache_drift_hint_active)`: hit rate, scores, classes or the confidence of the backbone. On one pod alone: compare its traffic.',
  },
} as const satisfies Record<keyof typeof REASON_GROUPS.exits, ReasonPage>;
