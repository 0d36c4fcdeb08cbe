import type { FaultRows } from './fault-row.ts';

/** The budget of disagreement. */
export const ACCURACY_FAULTS: FaultRows = {
  B1: {
    fault: 'disagreement jumps to 3 % or 5 % at a budget of 1 %',
    holds: 'alarm within the audits of the design; windows never enter faster than rows would',
    tests: {
      'unit/simulation/detector.test.ts': [
        'A = %i, windows of 30: to %d it takes the audits of the design',
      ],
      'unit/server/core/detector.test.ts': [
        'one start point per window, (S + 1) x ratio, never exceeds the row-by-row value in any order',
      ],
      'unit/operator/lifecycle/jump.test.ts': [
        'a jump to 5 budgets at 2 audits a second has exits off on every pod within minutes',
      ],
      'unit/operator/lifecycle/jump.long.ts': [
        'a jump to 5 budgets at 2 audits a second has exits off on every pod after 120 s in the mean, 300 s at p99',
      ],
      'faults/loop/requests.test.ts': [
        'a jump to five times the budget switches exits off on every pod within minutes, and the heads are tested again',
      ],
      'http/local/drift-run.test.ts': [
        'are hinted at, alarm, switch exits off, and heads trained on them bring exits back',
      ],
    },
  },
  B2: {
    fault: 'disagreement creeps to 1.2 %',
    holds: 'alarm in hours at two audits a second',
    tests: {
      'unit/simulation/detector.long.ts': ['a creep to 1.2 % takes 9,700 audits on average'],
    },
  },
  B3: {
    fault: 'looking again and again',
    holds:
      'of 10,000 fleets at the budget at most 5 % are ever certified; no rule judges one window',
    tests: {
      'unit/operator/lifecycle/at-budget.test.ts': [
        'are certified in at most 5 %, retries included',
        'are certified by chance now and then: the bound is not kept by certifying nothing',
      ],
      'unit/operator/lifecycle/at-budget.long.ts': [
        'of 10,000 services whose heads disagree on exactly the budget at most 5 % are ever certified',
      ],
      'unit/operator/stats/fixed-sequence.test.ts': ['spend at most delta in all'],
      'unit/simulation/certificate.test.ts': [
        'one good window of 1,000 rows that switches exits on again does so on 94 percent of days at the budget itself',
      ],
    },
  },
  B4: {
    fault: 'too few audits',
    holds: 'the audit rate rises as traffic falls; with too few in a day there are no exits',
    tests: {
      'unit/operator/lifecycle/audit-rate.test.ts': ['serving %s'],
      'unit/operator/lifecycle/serving.test.ts': [
        'is one below ln(delta) / ln(1 - budget): 299 at 1 % and 95 %',
        'switches off, and the first day with enough switches on again',
      ],
      'faults/loop/watched.test.ts': [
        'after a day with too few audits exits are off until there are enough',
      ],
    },
  },
  B5: {
    fault: 'audits are lost under load',
    holds: 'counted; more than 1 % voids the evidence',
    tests: {
      'unit/operator/lifecycle/serving.test.ts': [
        'over ten ticks void the certificate, and the alarm count stays',
        'in fewer ticks, or up to 1 percent, void nothing',
      ],
      'faults/loop/reasons.test.ts': ['audits that got lost void the evidence, and exits are off'],
      'http/metrics/series.test.ts': [
        'audits are behind while their rows run on, and how long is told',
      ],
    },
  },
  B6: {
    fault: 'poisoned traffic',
    holds:
      'clients do not choose audits; rows that opted out are none; a class clearly over budget cuts from its exit on',
    tests: {
      'unit/server/evidence/draws.test.ts': [
        'draws are spread over 32 bits and come for whole requests',
      ],
      'http/server/infer.test.ts': ['%s opts a request out of exits'],
      'http/server/evidence.test.ts': ['are not kept of rows that opted out or were not drawn'],
      'unit/server/core/breaker.test.ts': [
        'exits are cut from the first one with a stratum over budget on',
      ],
      'http/server/safety.test.ts': [
        'a track with a bad class is cut although the whole is within budget',
      ],
    },
  },
  B7: {
    fault: 'a slowdown attack: no row leaves early any more',
    holds: 'the queue limit sheds what is too much; lambda is unchanged; answers stay right',
    tests: {
      'faults/server/no-early-exits.test.ts': [
        'traffic in which no row leaves any more, at a rate that only exits could serve: what is too much is refused, what is answered is right, and lambda stays',
      ],
      'faults/loop/watched.test.ts': [
        'clearly fewer rows that leave are a sign of drift: more are audited, and nothing else changes',
      ],
    },
  },
  B8: {
    fault: 'a budget of 0 %',
    holds: 'exits are off, heads shadow, and that is no error',
    tests: {
      'unit/operator/lifecycle/training.test.ts': [
        'a budget of 0 voids the certificate: a later budget begins a new episode',
      ],
      'unit/operator/stats/fixed-sequence.test.ts': ['is none without rows, and for a budget of 0'],
      'unit/server/core/breaker.test.ts': ['a budget of %s has no breaker'],
    },
  },
  B9: {
    fault: 'lambda goes to and fro',
    holds: '',
    impossible: 'between two certificates it only gets smaller; a larger one ramps as a candidate',
  },
  B10: {
    fault: 'the backbone itself is wrong',
    holds: 'agreement is relative; a known answer on fixed inputs is absolute',
    tests: {
      'http/engine/supervision.test.ts': [
        'because the engine went wrong is found out by its known answer: not ready, then a new host',
        'because of what clients send stays as it is',
      ],
      'unit/server/backbone-watch.test.ts': [
        'the tenth row within a minute that is not finite has the known answer asked for, once',
      ],
    },
  },
  B11: {
    fault: 'a window counts twice',
    holds: '',
    impossible:
      'windows are immutable and named by pod, boot and number; merge-evidence.test.ts merges them in any order and multiplicity',
  },
  B12: {
    fault: 'a threshold set by hand',
    holds: '',
    impossible: 'no field of the API sets lambda',
  },
  B13: {
    fault: 'the operator restarts',
    holds: 'counts, watermarks and detector are one object, written at once',
    tests: {
      'unit/operator/lifecycle/fleet.test.ts': [
        'when the ledger is stored and read again at every tick',
      ],
      'faults/loop/requests.test.ts': [
        'an operator that is killed again and again ends the same way, and counts no row twice',
      ],
    },
  },
  B14: {
    fault: 'a local run on the rows that the backbone was trained on',
    holds: 'their evidence says too little: it is said, and rows to train on are never evidence',
    tests: {
      'unit/operator/local/limits/known-limits.test.ts': [
        'of rows that the backbone seems to have been trained on',
      ],
      'unit/operator/local/traffic/traffic-plan.test.ts': [
        'with head traffic all of the traffic follows',
      ],
    },
  },
};
