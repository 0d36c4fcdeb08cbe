// The alarm path (exits.md 8.2): disagreement above the budget, or audits that got lost, switch exits off at once.
import { measureOf } from '../../crds/wire/measure.ts';
import { isAlarm, meanS } from '../../server/core/detector.ts';
import { auditedRows } from './attempts.ts';
import { dispersionNow } from './count-stable.ts';
import { change, say, type Draft } from './draft.ts';
import { NO_LOST, type DetectorRecord, type Ledger, type StableRecord } from './ledger.ts';
import { isVoid, lostSums } from './lost-evidence.ts';
import { restartCandidate, restartStable } from './restart-evidence.ts';
import { failStable, voidCertificate, type SwitchOff } from './switch-off.ts';
import { count, lambdaText, percent } from './text.ts';
import type { Tick } from './tick.ts';
import { AFTER_ALARM, afterNow } from './training-wishes.ts';

/** A false alarm costs about an hour of saving; one per 20,000 audits at the budget (exits.md 8.1). */
export const SERVING_ALARM = 20_000;
const REPEATED_WITHIN_MS = 86_400_000;
const MAX_ALARMS = 10;

/** Switches off when the detector alarms; a second alarm of the same heads within 24 h fails them for good. */
export function noticeAlarm(draft: Draft, tick: Tick): Draft {
  const { ledger } = draft;
  const { stable } = ledger;
  const detector = stable?.detector ?? null;
  if (stable === null || detector === null) return draft;
  if (!isAlarm(detector, SERVING_ALARM, dispersionNow(ledger, stable))) return draft;
  const { headRevision } = stable;
  const isRepeated = ledger.alarms.some(
    (alarm) => alarm.headRevision === headRevision && tick.nowMs - alarm.atMs < REPEATED_WITHIN_MS,
  );
  const alarms = [...ledger.alarms, { headRevision, atMs: tick.nowMs }].slice(-MAX_ALARMS);
  const noted = change(draft, { alarms, training: { ...ledger.training, ...wish(ledger, tick) } });
  const off = voidCertificate(noted, stable, tick, alarmReport(stable, detector));
  if (!isRepeated) return off;
  return failStable(off, stable, tick, {
    reason: 'BudgetExceeded',
    message: 'A second alarm within 24 h: these heads are not used again.',
    details: {},
  });
}

/** A training after the alarm, if one is needed, reads only rows after it. */
function wish({ training }: Ledger, { input }: Tick): Pick<Ledger['training'], 'waiting'> {
  const isWished = input.settings.triggers.includes('Alarm');
  return { waiting: isWished ? afterNow(AFTER_ALARM, input) : training.waiting };
}

function alarmReport(stable: StableRecord, detector: DetectorRecord): SwitchOff {
  const { lambdaIndex, evidence } = stable;
  const budget = percent(detector.budget);
  return {
    reason: 'Alarm',
    message:
      `Audited ${measureOf(evidence).noun} is above the budget of ${budget} at lambda ${lambdaText(lambdaIndex)}: ` +
      'exits are off, and the same heads are tested again on rows from now on.',
    details: { lambdaIndex, suspicion: meanS(detector), audits: auditedRows(evidence) },
  };
}

/** Voids what was collected when audits were lost: a certificate in force, or the rows of an attempt that runs. */
export function noticeLostAudits(draft: Draft, tick: Tick): Draft {
  const { lost, stable, candidate } = draft.ledger;
  const watched = stable ?? candidate;
  if (watched === null || !isVoid(lost)) return draft;
  const details = lostSums(lost);
  const figures =
    `${count(details.lost)} of ${count(details.chosen)} chosen audits were lost, ` +
    `${count(details.received)} of ${count(details.expected)} expected ones came`;
  if (stable !== null && stable.certificate !== null) {
    const message = `Exits are off, the evidence is void: ${figures}. The same heads are tested again.`;
    return voidCertificate(draft, stable, tick, { reason: 'EvidenceVoid', message, details });
  }
  const anew = stable === null ? draft : restartStable(draft, stable, tick);
  const restarted = candidate === null ? anew : restartCandidate(anew, candidate, tick);
  return say(change(restarted, { lost: NO_LOST }), tick.nowMs, {
    reason: 'EvidenceVoid',
    message: `The evidence starts anew: ${figures}.`,
    headRevision: watched.headRevision,
    details,
  });
}
