// When heads may be trained, and the request that asks for it (exits.md 11).
import { countCollected } from './collected-rows.ts';
import { change, enter, say, type Draft } from './draft.ts';
import type { Ledger, TrainingCause } from './ledger.ts';
import { count } from './text.ts';
import type { Tick } from './tick.ts';
import type { LifecycleInput } from './types.ts';

/** When the cooldown after the last training ends; 0 before the first. */
export function cooldownEndMs({ training }: Ledger, { settings }: LifecycleInput): number {
  return training.endedAtMs === null ? 0 : training.endedAtMs + settings.cooldownMs;
}

/** Training is on, none runs, and the cooldown is over. */
export function mayTrain(ledger: Ledger, input: LifecycleInput): boolean {
  const isFree = ledger.training.request === null && input.settings.trainingMode === 'Auto';
  return isFree && input.nowMs >= cooldownEndMs(ledger, input);
}

/** What came last describes the traffic that heads have to be for now. */
export const AFTER_ALARM = { trigger: 'Alarm', part: 'recent' } as const;

/** A training on rows after now only: those before are gone, or describe traffic that is. */
export function afterNow(
  cause: Pick<TrainingCause, 'trigger' | 'part'>,
  { pods }: LifecycleInput,
): TrainingCause {
  const after = pods.map(({ podUid, bootId, samples }) => ({ podUid, bootId, seq: samples.seen }));
  return { ...cause, after };
}

/** Asks for a training. It stands in the ledger until its report comes. */
export function requestTraining(draft: Draft, tick: Tick, cause: TrainingCause): Draft {
  const { training } = draft.ledger;
  const attempt = training.count + 1;
  const request = { attempt, ...cause };
  const asked = change(draft, {
    training: { ...training, request, waiting: null, count: attempt },
  });
  const { rows } = countCollected(draft.ledger, tick.input, cause);
  return say(enter(asked, tick.nowMs, 'Training'), tick.nowMs, {
    reason: 'TrainingStarted',
    message: `Training ${String(attempt)} starts on ${count(rows)} recorded rows (${cause.trigger}).`,
    details: { attempt, rows, trigger: cause.trigger, part: cause.part },
  });
}
