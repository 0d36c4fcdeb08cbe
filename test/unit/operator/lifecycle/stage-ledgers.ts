// One ledger per stage, one good tick away from the next stage where evidence could bring it.
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import type { LifecycleStage } from '../../../../operator/lifecycle/types.ts';
import {
  aCandidate,
  aLedger,
  anAttempt,
  aRampingCandidate,
  aServingLedger,
  aVoidedStable,
  blocksOf,
} from '../../../support/ledger-builders.ts';

const REQUEST = { attempt: 1, trigger: 'Missing', part: 'long', after: [] } as const;

export const STAGES: Readonly<Record<LifecycleStage, Ledger>> = {
  Idle: aLedger({ stage: 'Idle' }),
  Collecting: aLedger(),
  Training: aLedger({
    stage: 'Training',
    training: { request: REQUEST, waiting: null, count: 1, endedAtMs: null },
  }),
  Staging: aLedger({ stage: 'Staging', candidate: aCandidate() }),
  Shadowing: aLedger({
    stage: 'Shadowing',
    candidate: aCandidate({
      evidence: anAttempt({ blocks: blocksOf(950, 19), answeredRows: 950 }),
    }),
  }),
  Ramping: aLedger({ stage: 'Ramping', candidate: aRampingCandidate(), exitsEnabled: true }),
  Serving: aServingLedger(),
  Recertifying: aLedger({
    stage: 'Recertifying',
    stable: aVoidedStable({
      evidence: anAttempt({ blocks: blocksOf(950, 19), answeredRows: 950 }),
    }),
  }),
};
