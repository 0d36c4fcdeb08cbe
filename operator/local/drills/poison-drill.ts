import type { VerifiedBundle } from '../../fleet/pull-bundle.ts';
import type { Decision } from '../../lifecycle/types.ts';
import { grouped } from '../view/format.ts';
import { notReached, strikeNow, type Drill, type DrillWorld, type Strike } from './drill.ts';
import { flagOf } from './drill-options.ts';
import { poisonBundle } from './poisoned-heads.ts';

export interface RunningPoisonDrill extends Drill {
  /** The poisoned heads in place of the first that a training gives; later ones as they are. */
  offer(bundle: VerifiedBundle): VerifiedBundle;
}

/** Decisions that end a candidate. */
const REJECTIONS: readonly Decision['reason'][] = [
  'NotCertified',
  'NotWorthwhile',
  'NotBetter',
  'KnownAnswerMismatch',
  'LoadFailed',
  'CrashedPods',
  'RolloutAborted',
];

export function createPoisonDrill(world: DrillWorld): RunningPoisonDrill {
  let offered: (Strike & { readonly headRevision: string }) | null = null;
  let rejection: Decision | null = null;
  let served = 0;
  return {
    offer: (bundle) => {
      if (offered !== null) return bundle;
      const poisoned = poisonBundle(bundle);
      offered = { ...strikeNow(world), headRevision: poisoned.headRevision };
      world.onNote(
        'Drill: the heads that were trained are offered with their classes shifted by one.',
      );
      return poisoned;
    },
    onAnswer: ({ exit, headRevision }) => {
      if (exit !== 'backbone' && headRevision === offered?.headRevision) served += 1;
    },
    onDecision: (decision) => {
      const isOurs = offered !== null && decision.headRevision === offered.headRevision;
      if (!isOurs || rejection !== null || !REJECTIONS.includes(decision.reason)) return;
      rejection = decision;
      world.onNote(`Drill: the poisoned heads are rejected (${decision.reason}).`);
    },
    report: () => {
      if (offered === null) {
        return notReached('PoisonHead', flagOf.poisonHead, 'No training ended in this run.');
      }
      const { atSeconds, atRequest, failedBefore } = offered;
      const outcome =
        rejection === null
          ? 'they were still being tested as the run ended'
          : `they were rejected (${rejection.reason}): ${rejection.message}`;
      return {
        kind: 'PoisonHead',
        flag: flagOf.poisonHead,
        atSeconds,
        atRequest,
        message: `Heads with their classes shifted by one were offered and answered ${grouped(served)} requests; ${outcome}`,
        failedRequests: world.failed() - failedBefore,
        held: null,
        drifted: null,
        recoveredSeconds: null,
      };
    },
  };
}
