// Serving: stable answers alone. Here it is watched for what it saves, raised by later looks, and trained anew.
import { stageSameHeads, startRamp } from './candidates.ts';
import { hasCollected } from './collecting.ts';
import { change, say, type Draft } from './draft.ts';
import type { StableRecord, TrainingCause } from './ledger.ts';
import { certifiedNow } from './looks-in-force.ts';
import { hasLostSaving, tooSmallSaving } from './saving-monitor.ts';
import { lambdaText, percent } from './text.ts';
import type { Tick } from './tick.ts';
import { mayTrain, requestTraining } from './training-wishes.ts';

/** What servers recorded trains them: it is about the traffic of now. */
const SAVING_LOSS: TrainingCause = { trigger: 'SavingLoss', part: 'long', after: [] };

/** One step of a service whose stable has a certificate. */
export function serving(draft: Draft, stable: StableRecord, tick: Tick): Draft {
  const raised = raise(draft, stable, tick);
  if (raised !== null) return raised;
  const watched = switchOffIfNotWorthwhile(draft, stable, tick);
  if (!hasReason(watched, tick)) return watched;
  return requestTraining(watched, tick, SAVING_LOSS);
}

/** A larger lambda of a later look is never applied in place: it ramps as a candidate with the same heads. */
function raise(draft: Draft, stable: StableRecord, tick: Tick): Draft | null {
  const { lambdaIndex } = stable;
  const now = certifiedNow(stable, tick);
  if (stable.raiseBlocked || now === null || lambdaIndex === null) return null;
  if (now.lambdaIndex <= lambdaIndex || tick.input.settings.exitMode !== 'Active') return null;
  const candidate = stageSameHeads(stable, 'Raise', now);
  const from = lambdaText(lambdaIndex);
  const said = say(draft, tick.nowMs, {
    reason: 'Certified',
    message: `Lambda ${lambdaText(now.lambdaIndex)} is certified for the same heads, ${from} is in force: it takes the ramp.`,
    headRevision: stable.headRevision,
    details: { from: lambdaIndex, to: now.lambdaIndex },
  });
  return startRamp(said, candidate, tick);
}

function switchOffIfNotWorthwhile(draft: Draft, stable: StableRecord, tick: Tick): Draft {
  const { minSaving } = tick.input.settings;
  const recent = tooSmallSaving(draft.ledger.saving, minSaving);
  if (stable.off !== null || recent === null) return draft;
  const off = change(draft, { stable: { ...stable, off: 'NotWorthwhile' } });
  return say(off, tick.nowMs, {
    reason: 'NotWorthwhile',
    message: `Exits are off: over the last 20 spans they saved ${percent(recent)}, below ${percent(minSaving)} less 2 points.`,
    headRevision: stable.headRevision,
    details: { saving: recent, minSaving },
  });
}

/**
 * A lost saving asks for other heads (exits.md 11). New rows alone do not: whether they pay is for a trial training to say, and
 * none reports its gain yet. Servers forget their rows as exits go off, so the training waits for others.
 */
function hasReason({ ledger }: Draft, tick: Tick): boolean {
  const { input } = tick;
  const isOff = ledger.stable?.off === 'NotWorthwhile';
  const hasLost = isOff ? hasCollected(ledger, tick, SAVING_LOSS) : hasLostSaving(ledger.saving);
  return hasLost && input.settings.triggers.includes('SavingLoss') && mayTrain(ledger, input);
}
