import { LAMBDAS } from '../../../crds/wire/lambda-grid.ts';
import { measureOf } from '../../../crds/wire/measure.ts';
import type { ServiceSettings } from '../../../crds/v1alpha1/settings.ts';
import { auditedRows, auditShare } from '../../lifecycle/attempts.ts';
import { SHADOW_ROWS_PER_SECOND } from '../../lifecycle/audit-rate.ts';
import { enoughRows, PATIENCE_MS, wantedWithin } from '../../lifecycle/collecting.ts';
import type { Attempt, Ledger, RampRecord } from '../../lifecycle/ledger.ts';
import { looksAhead, outcomeAhead, type LookAhead } from '../../lifecycle/looks-ahead.ts';
import { holdEndMs } from '../../lifecycle/ramping.ts';
import { leastAuditsADay } from '../../lifecycle/starvation.ts';
import { countText, percentText, rateText } from '../output/words.ts';
import type { ServiceView } from '../service/service-view.ts';
import type { Missing } from './explanation.ts';

const UNCOUNTED = { rows: null, seconds: null, note: null } as const;

export interface MissingFacts {
  readonly service: ServiceView;
  readonly ledger: Ledger | null;
  readonly rowsPerSecond: number | null;
  /** Null: no pod told. */
  readonly recordedRows: number | null;
  /** Rows that memory holds at most; 0: not known. */
  readonly capacityRows: number;
  readonly nowMs: number;
}

/** What stands between a service and exits that answer, with the time that present traffic takes for it; empty: nothing. */
export function findMissing(facts: MissingFacts, reason: string): readonly Missing[] {
  const find = FINDERS[reason] ?? missingOfStep;
  return find(facts);
}

type Finder = (facts: MissingFacts) => readonly Missing[];

const COLLECT: Finder = (facts) => [
  missingSamples(facts),
  ...missingCooldown(facts),
  ...missingFirstLook(facts),
];
const AUDIT: Finder = (facts) => missingAudits(facts);
const TRAIN: Finder = (facts) => [
  { ...UNCOUNTED, what: 'The training has to end; its Job is in status.training' },
  ...missingFirstLook(facts),
];

/** By the reason of ExitsActive. */
const FINDERS: Readonly<Record<string, Finder>> = {
  CollectingSamples: COLLECT,
  TrainingFailed: COLLECT,
  RolloutAborted: COLLECT,
  NotCertified: COLLECT,
  NotWorthwhile: COLLECT,
  Training: TRAIN,
  Shadowing: AUDIT,
  Recertifying: AUDIT,
  Alarm: AUDIT,
  NoCertificate: AUDIT,
  EvidenceVoid: AUDIT,
  InsufficientSamples: (facts) => [missingDay(facts)],
};

function missingSamples(facts: MissingFacts): Missing {
  const { service, recordedRows, rowsPerSecond } = facts;
  const wanted = wantedWithin(facts.capacityRows);
  const enough = Math.min(wanted, enoughRows(service.status.backbone?.classCount ?? 0));
  const has = recordedRows ?? 0;
  const patience = `once ${PATIENCE_MS / 60_000} minutes have passed`;
  const sooner = enough === wanted ? '' : `, or ${countText(enough)} ${patience}`;
  const known = recordedRows === null ? '' : `; ${countText(recordedRows)} are there`;
  const what = `${countText(wanted)} recorded rows to train on${sooner}${known}`;
  const rows = recordedRows === null ? null : Math.max(0, enough - has);
  if (rowsPerSecond === null || rowsPerSecond <= 0) {
    return { what, rows, ...timeless(rowsPerSecond) };
  }
  const seconds = Math.min(
    Math.max(0, wanted - has) / rowsPerSecond,
    Math.max(patienceLeft(facts), Math.max(0, enough - has) / rowsPerSecond),
  );
  return { what, rows, seconds, note: null };
}

function patienceLeft({ ledger, nowMs }: MissingFacts): number {
  const waitedMs = ledger?.stage === 'Collecting' ? nowMs - ledger.stageSinceMs : 0;
  return Math.max(0, PATIENCE_MS - waitedMs) / 1000;
}

/** Rows that are there wait for it, too. */
function missingCooldown({ ledger, service: { settings }, nowMs }: MissingFacts): Missing[] {
  const endedAtMs = ledger?.training.endedAtMs ?? null;
  if (endedAtMs === null || settings === null) return [];
  const seconds = (endedAtMs + settings.cooldownMs - nowMs) / 1000;
  if (seconds <= 0) return [];
  return [{ ...UNCOUNTED, what: 'The cooldown of the last training has to pass', seconds }];
}

/** The heads to come need a first look of their own. */
function missingFirstLook({
  service: { settings },
  rowsPerSecond,
}: MissingFacts): readonly Missing[] {
  if (settings === null) return [];
  const rows = settings.minAudits;
  const what = `${countText(rows)} audited rows for the first look at the new heads`;
  if (rowsPerSecond === null || rowsPerSecond <= 0)
    return [{ what, rows, ...timeless(rowsPerSecond) }];
  return [
    { what, rows, seconds: rows / Math.min(rowsPerSecond, SHADOW_ROWS_PER_SECOND), note: null },
  ];
}

function missingAudits(facts: MissingFacts): readonly Missing[] {
  const attempt = attemptOf(facts.ledger);
  if (attempt === null) return missingFirstLook(facts);
  return [...missingLoads(facts), missingLook(attempt, facts.rowsPerSecond)];
}

/** Of the candidate; one that raises lambda shares stable's. */
function attemptOf(ledger: Ledger | null): Attempt | null {
  return ledger?.candidate?.evidence ?? ledger?.stable?.evidence ?? null;
}

function missingLoads({ ledger, service: { status } }: MissingFacts): readonly Missing[] {
  if (ledger?.stage !== 'Staging') return [];
  const loaded = status.rollout?.loadedReplicas ?? 0;
  const ready = status.readyReplicas ?? 0;
  const what = `Every ready pod has to load the heads; ${loaded} of ${ready} have`;
  return [{ ...UNCOUNTED, what }];
}

function missingLook(attempt: Attempt, rowsPerSecond: number | null): Missing {
  const ahead = looksAhead(attempt);
  const [next] = ahead;
  if (next === undefined) {
    const what = 'The last look of this attempt is taken: other heads, or a larger budget.';
    return { ...UNCOUNTED, what };
  }
  const passing = firstPassing(attempt, ahead);
  const goal = passing?.look ?? next;
  const audits = auditedRows(attempt);
  const rows = Math.max(0, goal.rows - audits);
  const share = auditShare(attempt);
  const what = `${countText(rows)} more audited rows until look ${String(goal.look)} at ${countText(goal.rows)}`;
  const outlook = outlookOf(attempt, passing?.lambda ?? null);
  if (rowsPerSecond === null || rowsPerSecond <= 0) {
    const { seconds, note } = timeless(rowsPerSecond);
    return { what, rows, seconds, note: [note, outlook].filter((text) => text !== null).join(' ') };
  }
  const audited = rowsPerSecond * share;
  const note = `${percentText(share)} of ${rateText(rowsPerSecond)} rows a second are audited. ${outlook}`;
  return { what, rows, seconds: rows / audited, note };
}

/** The first look that the answers so far would pass, and the lambda that it would certify. */
function firstPassing(
  attempt: Attempt,
  ahead: readonly LookAhead[],
): { readonly look: LookAhead; readonly lambda: number | null } | null {
  for (const look of ahead) {
    const outcome = outcomeAhead(attempt, look);
    if (outcome !== null) return { look, lambda: LAMBDAS[outcome.lambdaIndex] ?? null };
  }
  return null;
}

function outlookOf(attempt: Attempt, lambda: number | null): string {
  if (attempt.blocks.closed.n === 0)
    return 'No audited rows yet, so nothing can be said of its outcome.';
  return lambda === null
    ? `With ${measureOf(attempt).asMuch} as so far no look would pass: a larger budget or better heads are needed.`
    : `The answers so far would pass it at lambda ${String(lambda)}.`;
}

function missingDay({ ledger, rowsPerSecond }: MissingFacts): Missing {
  const stable = ledger?.stable ?? null;
  if (stable === null) {
    return { what: 'More audited rows a day.', rows: null, ...timeless(rowsPerSecond) };
  }
  const { budget, confidence } = stable.evidence;
  const least = leastAuditsADay(budget, confidence);
  const rows = Math.max(0, least - stable.day.audits);
  const what = `${countText(rows)} more audited rows today: ${countText(least)} a day watch a budget of ${percentText(budget)}`;
  const rate = (rowsPerSecond ?? 0) * (ledger?.traffic.auditRate ?? 0);
  if (rate <= 0) return { what, rows, ...timeless(rowsPerSecond) };
  return { what, rows, seconds: rows / rate, note: 'Exits go on by themselves then.' };
}

/** What the step of a candidate waits for. */
function missingOfStep(facts: MissingFacts): readonly Missing[] {
  const ramp = facts.ledger?.candidate?.ramp ?? null;
  const { settings } = facts.service;
  if (ramp === null || settings === null) return [];
  return [...missingHold(ramp, settings, facts.nowMs), ...missingRequests(ramp, settings, facts)];
}

function missingHold(
  ramp: RampRecord,
  settings: ServiceSettings,
  nowMs: number,
): readonly Missing[] {
  const seconds = (holdEndMs(ramp, settings) - nowMs) / 1000;
  if (seconds <= 0) return [];
  return [{ ...UNCOUNTED, what: 'The hold of this step has to pass', seconds }];
}

function missingRequests(
  { share, requests }: RampRecord,
  { minRequests }: ServiceSettings,
  { rowsPerSecond }: MissingFacts,
): readonly Missing[] {
  const rows = Math.max(0, minRequests - requests);
  if (rows === 0) return [];
  const what = `${countText(rows)} more requests of the candidate for a verdict`;
  const rate = (rowsPerSecond ?? 0) * share;
  if (rate <= 0) return [{ what, rows, ...timeless(rowsPerSecond) }];
  return [{ what, rows, seconds: rows / rate, note: null }];
}

function timeless(rowsPerSecond: number | null): Pick<Missing, 'seconds' | 'note'> {
  const note =
    rowsPerSecond === null
      ? 'The present traffic is not known, so no time follows.'
      : 'No traffic arrives now: it takes for ever at this rate.';
  return { seconds: null, note };
}
