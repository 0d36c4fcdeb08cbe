import type { AgreementName } from '../../../crds/wire/agreement.ts';
import type { Decision } from '../../lifecycle/types.ts';
import type { ReportAlarm } from '../report/report-schema.ts';
import type { Truth } from '../report/true-disagreement.ts';
import { grouped, seconds } from '../view/format.ts';
import type { AlarmLog } from './alarm-log.ts';
import { outcomeOf, tellEvents, tellRows, type DriftEvents } from './drift-outcome.ts';
import { notReached, strikeNow, type Drill, type DrillWorld, type Strike } from './drill.ts';
import { flagOf, type DriftDrill } from './drill-options.ts';

export interface RunningDriftDrill extends Drill {
  /** The first drifted row is taken. */
  readonly onBegin: () => void;
  readonly onCompared: (truth: Pick<Truth, 'exposed'> | null) => void;
}

/** What a drift needs of the run beside the world of every drill. */
export interface DriftContext {
  readonly log: Pick<
    AlarmLog,
    'alarms' | 'driftBegan' | 'driftWindowsBegan' | 'driftAudits' | 'wereExitsOn' | 'isExposed'
  >;
  readonly budget: number;
  readonly agreement: AgreementName;
  readonly closeWindows: () => Promise<void>;
  /** Drifted rows answered until exits were off. */
  readonly rows: () => { readonly n: number; readonly early: number };
}

/** Says what came of a drift: hint, tighter lambda, alarm, off, back on; and what it cost. The alarm log follows the alarms. */
export function createDriftDrill(
  drill: DriftDrill,
  world: DrillWorld,
  { log, budget, agreement, closeWindows, rows }: DriftContext,
): RunningDriftDrill {
  let strike: (Strike & { readonly alarmsBefore: number }) | null = null;
  let hintedSeconds: number | null = null;
  let tightenedSeconds: number | null = null;
  let k: number | null | 'Pending' = 'Pending';
  const nowSeconds = (): number => strikeNow(world).atSeconds;
  return {
    onBegin: () => {
      const alarmsBefore = log.alarms.length;
      strike = { ...strikeNow(world), atRequest: drill.fromRequest, alarmsBefore };
      log.driftBegan(drill.fromRequest);
      world.onNote(
        `Drill: ${drill.kind} of strength ${drill.strength} begins at request ${grouped(strike.atRequest)} (${seconds(1000 * strike.atSeconds)}).`,
      );
      void closeWindows().then(log.driftWindowsBegan);
    },
    onDecision: ({ reason }: Decision) => {
      if (strike === null || !log.isExposed) return;
      if (reason === 'DriftHint') hintedSeconds ??= nowSeconds();
      if (reason === 'LambdaTightened') tightenedSeconds ??= nowSeconds();
    },
    onCompared: (truth) => {
      k = truth?.exposed.k ?? null;
    },
    report: () => {
      const flag = `${flagOf.drift(drill)} --drift-strength ${drill.strength}`;
      if (strike === null) return notReached('Drift', flag);
      const { atSeconds, atRequest, failedBefore, alarmsBefore } = strike;
      const alarm = log.alarms[alarmsBefore] ?? null;
      const failedRequests = world.failed() - failedBefore;
      const { wereExitsOn, driftAudits: audits } = log;
      const since = { fromSeconds: atSeconds, hintedSeconds, tightenedSeconds };
      const events: DriftEvents = { ...since, wereExitsOn, alarm, audits };
      const told = tellRows({ ...rows(), k }, { budget, agreement, isOff: !log.isExposed });
      return {
        kind: 'Drift',
        flag,
        atSeconds,
        atRequest,
        message: `Rows drifted (${drill.kind}): ${tellEvents(events)}, ${grouped(failedRequests)} requests failed. ${told}`,
        failedRequests,
        held: null,
        recoveredSeconds: recoveredSeconds(alarm, atSeconds),
        drifted: { ...rows(), k: k === 'Pending' ? null : k, outcome: outcomeOf(events) },
      };
    },
  };
}

function recoveredSeconds(alarm: ReportAlarm | null, fromSeconds: number): number | null {
  const back = alarm?.backSeconds ?? null;
  return back === null ? null : back - fromSeconds;
}
