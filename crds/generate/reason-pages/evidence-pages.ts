import type { REASON_GROUPS } from '../../v1alpha1/reasons.ts';
import type { ReasonPage } from './reason-page.ts';

const ACCURACY =
  '`kubectl -n NAMESPACE get cachedmodelservice NAME -o jsonpath={.status.accuracy}` has disagreement or F1 loss (`agreement` says which), its upper bound and the audited rows behind them.';

export const EVIDENCE_PAGES = {
  Certified: { seen: ['WithinBudget=True', 'event'], check: ACCURACY },
  BudgetExceeded: {
    seen: ['WithinBudget=False', 'event'],
    check: `${ACCURACY} See runbook [LayercacheBudgetBurnFast](../runbooks/LayercacheBudgetBurnFast.md).`,
  },
  NoCertificate: {
    seen: ['WithinBudget=Unknown', 'ExitsActive=False'],
    check:
      'ExitsActive says what is waited for; `layercache explain NAME` how many audited rows are missing and how long they take at present traffic.',
  },
  InsufficientSamples: {
    seen: ['WithinBudget=Unknown', 'ExitsActive=False', 'event'],
    check:
      '`sum(rate(layercache_audits_total[1h]))`: fewer than about 30 audited rows in a day are too few for any statement.',
  },
  EvidenceVoid: {
    seen: ['WithinBudget=Unknown', 'ExitsActive=False', 'event'],
    check:
      '`sum by (reason) (rate(layercache_audits_dropped_total[15m]))`. See runbook [LayercacheAuditsDropped](../runbooks/LayercacheAuditsDropped.md).',
  },
  Recertifying: {
    seen: ['ExitsActive=False'],
    check:
      'The message says at how many audited rows the next look is; `layercache explain NAME` how long that takes. Heads that fail again are replaced by training.',
  },
  PodDeviates: {
    seen: ['event'],
    check:
      'The message names the pod. `sum by (pod, result) (rate(layercache_audits_total[1h]))` compares them; `kubectl -n NAMESPACE get pods -l layercache.io/service=NAME -o wide` shows its node.',
  },
  LambdaTightened: {
    seen: ['event'],
    check: '`max by (track, pod) (layercache_lambda_ratio)`: fewer rows leave early from now on.',
  },
} as const satisfies Record<keyof typeof REASON_GROUPS.evidence, ReasonPage>;
