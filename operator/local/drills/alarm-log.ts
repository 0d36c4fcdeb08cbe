import type { Policy } from '../../../crds/wire/policy.ts';
import type { Decision } from '../../lifecycle/types.ts';
import type { ReportAlarm } from '../report/report-schema.ts';
import { grouped, seconds } from '../view/format.ts';

/** Follows every alarm from the first drifted row to the moment exits are on again. */
export interface AlarmLog {
  /** The first drifted row is sent. */
  driftBegan(fromRequest: number): void;
  /** The windows that were open then are closed: audits count from here. */
  driftWindowsBegan(): void;
  decided(decision: Decision): void;
  /** Every server acknowledged this policy. */
  inForce(policy: Policy): void;
  /** A drift is on, and exits did not go off since it began. */
  readonly isExposed: boolean;
  /** Exits were on when it began. */
  readonly wereExitsOn: boolean;
  /** Audited rows since it began. */
  readonly driftAudits: number;
  readonly alarms: readonly ReportAlarm[];
}

export interface AlarmLogOptions {
  readonly startedMs: number;
  readonly nowMs: () => number;
  /** Rows sent so far. */
  readonly sent: () => number;
  /** Audited rows so far at a lambda in force. */
  readonly audits: () => number;
  /** A line for the terminal. */
  readonly onNote: (line: string) => void;
}

const ALARMS: readonly Decision['reason'][] = ['Alarm', 'BudgetExceeded', 'EvidenceVoid'];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Moment {
  readonly seconds: number;
  readonly request: number;
}

export function createAlarmLog(options: AlarmLogOptions): AlarmLog {
  const alarms: Mutable<ReportAlarm>[] = [];
  let drift: (Moment & { audits: number }) | null = null;
  let isExposed = false;
  let wereExitsOn = false;
  let areExitsOn = false;

  const now = (): Moment => ({
    seconds: Math.max(0, options.nowMs() - options.startedMs) / 1000,
    request: options.sent(),
  });

  /** Each drift is answered by one alarm, the first after it. */
  const takeDrift = (): ReportAlarm['drift'] => {
    if (drift === null || !isExposed || !wereExitsOn) return null;
    const audits = options.audits() - drift.audits;
    const served = { n: 0, k: null };
    return { fromSeconds: drift.seconds, fromRequest: drift.request, audits, served };
  };

  const wentOff = (): void => {
    const at = now();
    for (const alarm of alarms.filter(({ offSeconds }) => offSeconds === null)) {
      alarm.offSeconds = at.seconds;
      alarm.offRequest = at.request;
      options.onNote(offLine(alarm, at));
    }
    if (areExitsOn) isExposed = false;
  };

  const cameBack = (policy: Policy): void => {
    const at = now();
    const { headRevision } = policy.candidate ?? policy.stable ?? { headRevision: null };
    for (const alarm of alarms) {
      if (alarm.offSeconds === null || alarm.backSeconds !== null) continue;
      alarm.backSeconds = at.seconds;
      alarm.backRequest = at.request;
      alarm.backBy = headRevision === alarm.headRevision ? 'Recertified' : 'Retrained';
      options.onNote(backLine(alarm, at, alarm.offSeconds));
    }
  };

  return {
    driftBegan: (request) => {
      drift = { ...now(), request, audits: options.audits() };
      isExposed = true;
      wereExitsOn = areExitsOn;
    },
    driftWindowsBegan: () => {
      if (drift !== null) drift.audits = options.audits();
    },
    decided: ({ reason, message, headRevision }) => {
      if (!ALARMS.includes(reason)) return;
      const at = now();
      alarms.push({
        atSeconds: at.seconds,
        atRequest: at.request,
        reason,
        message,
        headRevision,
        ...{ offSeconds: null, offRequest: null },
        ...{ backSeconds: null, backRequest: null, backBy: null },
        drift: alarms.some((alarm) => alarm.drift !== null) ? null : takeDrift(),
      });
    },
    inForce: (policy) => {
      if (policy.exitsEnabled) cameBack(policy);
      else wentOff();
      areExitsOn = policy.exitsEnabled;
    },
    get isExposed() {
      return isExposed;
    },
    get wereExitsOn() {
      return wereExitsOn;
    },
    get driftAudits() {
      return drift === null ? 0 : options.audits() - drift.audits;
    },
    alarms,
  };
}

function offLine({ drift }: ReportAlarm, at: Moment): string {
  const since =
    drift === null
      ? ''
      : `, ${seconds(1000 * (at.seconds - drift.fromSeconds))} and ${grouped(at.request - drift.fromRequest)} requests after the drift began, on ${grouped(drift.audits)} audits`;
  return `Exits are off on every server at request ${grouped(at.request)} (${seconds(1000 * at.seconds)})${since}.`;
}

function backLine({ backBy }: ReportAlarm, at: Moment, offSeconds: number): string {
  const by =
    backBy === 'Recertified' ? 'the same heads, certified again' : 'heads that were trained anew';
  return `Exits are back on at request ${grouped(at.request)} (${seconds(1000 * at.seconds)}), ${seconds(1000 * (at.seconds - offSeconds))} after they went off: ${by}.`;
}
