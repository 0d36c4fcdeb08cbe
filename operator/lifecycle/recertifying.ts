// Recertifying: exits off, the same heads shadow on rows from after the switch-off (exits.md 8.2).
import { isExhausted, latestLook, restartRows } from './attempts.ts';
import { stageSameHeads, startRamp, type CertifiedLambda } from './candidates.ts';
import { change, say, type Draft } from './draft.ts';
import type { StableRecord } from './ledger.ts';
import { predictSaving } from './heads.ts';
import { certifiedNow } from './looks-in-force.ts';
import { isStale, rejection } from './shadowing.ts';
import { failStable } from './switch-off.ts';
import { lambdaText, percent } from './text.ts';
import type { Tick } from './tick.ts';
import { AFTER_ALARM, afterNow, mayTrain, requestTraining } from './training-wishes.ts';

/** Saving that is kept of the one before, for the old heads to stay worth it. */
const KEPT_SAVING = 0.7;
/** Look by which the old heads have to pass after an alarm. */
const LAST_LOOK_AFTER_ALARM = 2;

/** One step of a service whose stable lost its certificate. */
export function recertifying(draft: Draft, stable: StableRecord, tick: Tick): Draft {
  const { evidence, headRevision } = stable;
  const { settings } = tick.input;
  const now = certifiedNow(stable, tick);
  const saving = predictSaving(evidence, now?.lambdaIndex ?? null, headRevision, tick);
  const wanted = Math.max(settings.minSaving, KEPT_SAVING * (stable.savingBefore ?? 0));
  if (now !== null && saving !== null && saving >= wanted) {
    return startAgain(draft, stable, tick, { now, saving });
  }
  if (isExhausted(evidence)) {
    return failStable(draft, stable, tick, { details: {}, ...rejection(evidence, saving, wanted) });
  }
  if (wantsTraining(draft, stable, tick)) return trainAfresh(draft, tick);
  return isStale(evidence, tick.nowMs) ? restart(draft, stable, tick) : draft;
}

/** The same heads take the ramp at the lambda of their new certificate. */
function startAgain(
  draft: Draft,
  stable: StableRecord,
  tick: Tick,
  { now, saving }: { readonly now: CertifiedLambda; readonly saving: number },
): Draft {
  if (tick.input.settings.exitMode !== 'Active') return draft;
  const said = say(draft, tick.nowMs, {
    reason: 'Certified',
    message: `The same heads are certified again at lambda ${lambdaText(now.lambdaIndex)}, saving ${percent(saving)}.`,
    headRevision: stable.headRevision,
    details: { lambdaIndex: now.lambdaIndex, saving },
  });
  return startRamp(said, stageSameHeads(stable, 'Recertified', now), tick);
}

function wantsTraining(draft: Draft, { off, evidence }: StableRecord, { input }: Tick): boolean {
  const look = latestLook(evidence)?.look ?? 0;
  const isDue = off === 'Alarm' && look >= LAST_LOOK_AFTER_ALARM;
  return isDue && input.settings.triggers.includes('Alarm') && mayTrain(draft.ledger, input);
}

/** The old heads are given up, not failed: others are trained on rows from after the alarm. */
function trainAfresh(draft: Draft, tick: Tick): Draft {
  const { after } = draft.ledger.training.waiting ?? afterNow(AFTER_ALARM, tick.input);
  const gone = change(draft, { stable: null });
  return requestTraining(gone, tick, { trigger: 'Alarm', part: 'recent', after });
}

function restart(draft: Draft, stable: StableRecord, tick: Tick): Draft {
  const evidence = restartRows(stable.evidence, tick.nowMs);
  return say(change(draft, { stable: { ...stable, evidence } }), tick.nowMs, {
    reason: 'InsufficientSamples',
    message: 'No first look within 7 days: the evidence starts anew.',
    headRevision: stable.headRevision,
  });
}
