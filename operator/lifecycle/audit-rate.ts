// The share of rows that are audited, equal on all pods, so evidence is one sample (exits.md 8.4).
import type { Ledger } from './ledger.ts';
import type { LifecycleInput } from './types.ts';

const LEAST_AUDITS_PER_SECOND = 0.2;
/** Audited at most while nothing answers early. */
export const SHADOW_ROWS_PER_SECOND = 50;
const WATCHFUL_RATE = 0.1;
/** A rate in force stays within this factor of the wanted one: a policy per tick would help nobody. */
const TOLERANCE = 0.25;

/** The audit rate of the next policy. */
export function chooseAuditRate(ledger: Ledger, input: LifecycleInput): number {
  if (input.auditsOff) return 0;
  const base = input.settings.auditRate;
  // Without exits nothing is judged: a rate that follows the traffic would only make policies.
  if (ledger.stage === 'Idle') return base;
  const wanted = wantedRate(ledger, input);
  const current = ledger.traffic.auditRate;
  const isNear = Math.abs(wanted - current) <= TOLERANCE * current;
  return isNear && current >= base && wanted < 1 ? current : wanted;
}

function wantedRate(ledger: Ledger, { settings, nowMs, thinAudits }: LifecycleInput): number {
  const rowsPerSecond = ledger.traffic.rowsPerSecond ?? 0;
  if (!ledger.exitsEnabled) return thinAudits ? capped(SHADOW_ROWS_PER_SECOND / rowsPerSecond) : 1;
  const serving = Math.max(settings.auditRate, capped(LEAST_AUDITS_PER_SECOND / rowsPerSecond));
  const isWatchful = ledger.candidate !== null || nowMs < ledger.hint.untilMs;
  return isWatchful ? Math.max(serving, WATCHFUL_RATE) : serving;
}

/** At most 1, also before any traffic. */
function capped(rate: number): number {
  return Math.min(1, rate);
}
