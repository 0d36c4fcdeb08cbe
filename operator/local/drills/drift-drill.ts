import type { Decision } from '../../lifecycle/types.ts';
import type { ReportAlarm } from '../report/report-schema.ts';
import { grouped, seconds } from '../view/format.ts';
import type { AlarmLog } from './alarm-log.ts';
import { notReached, strikeNow, type Drill, type DrillWorld, type Strike } from './drill.ts';
import { flagOf, type DriftDrill } from './drill-options.ts';

export interface RunningDriftDrill extends Drill {
  /** The first drifted row is taken. */
  readonly onBegin: () => void;
}

/** Says what came of a drift: hint, alarm, off, back on. The alarms themselves are followed by the alarm log. */
export function createDriftDrill(
  drill: DriftDrill,
  world: DrillWorld,
  log: Pick<AlarmLog, 'alarms' | 'driftBegan' | 'driftWindowsBegan'>,
  closeWindows: () => Promise<void>,
): RunningDriftDrill {
  let strike: Strike | null = null;
  let hintedSeconds: number | null = null;
  const nowSeconds = (): number => strikeNow(world).atSeconds;
  return {
    onBegin: () => {
      strike = { ...strikeNow(world), atRequest: drill.fromRequest };
      log.driftBegan(drill.fromRequest);
      world.onNote(
        `Drill: ${drill.kind} of strength ${drill.strength} begins at request ${grouped(strike.atRequest)} (${seconds(1000 * strike.atSeconds)}).`,
      );
      void closeWindows().then(log.driftWindowsBegan);
    },
    onDecision: ({ reason }: Decision) => {
      if (strike !== null && reason === 'DriftHint') hintedSeconds ??= nowSeconds();
    },
    report: () => {
      const flag = `${flagOf.drift(drill)} --drift-strength ${drill.strength}`;
      if (strike === null) return notReached('Drift', flag);
      const { atSeconds, atRequest, failedBefore } = strike;
      const alarm = log.alarms.find(({ drift }) => drift !== null) ?? null;
      const failedRequests = world.failed() - failedBefore;
      const hinted =
        hintedSeconds === null ? '' : `hint after ${seconds(1000 * (hintedSeconds - atSeconds))}, `;
      return {
        kind: 'Drift',
        flag,
        atSeconds,
        atRequest,
        message: `Rows drifted (${drill.kind}): ${hinted}${outcomeOf(alarm, atSeconds)}, ${grouped(failedRequests)} requests failed.`,
        failedRequests,
        held: null,
        recoveredSeconds: recoveredSeconds(alarm, atSeconds),
      };
    },
  };
}

function outcomeOf(alarm: ReportAlarm | null, fromSeconds: number): string {
  if (alarm === null) return 'no alarm';
  const { offSeconds, backSeconds, backBy } = alarm;
  if (offSeconds === null) return 'alarm, exits not off yet';
  const off = `exits off after ${seconds(1000 * (offSeconds - fromSeconds))}`;
  if (backSeconds === null) return `${off} and not back on`;
  const by = backBy === 'Recertified' ? 'the same heads certified again' : 'heads trained anew';
  return `${off}, back on after ${seconds(1000 * (backSeconds - fromSeconds))} (${by})`;
}

function recoveredSeconds(alarm: ReportAlarm | null, fromSeconds: number): number | null {
  const back = alarm?.backSeconds ?? null;
  return back === null ? null : back - fromSeconds;
}
