import type { AgreementName } from '../../../crds/wire/agreement.ts';
import { measureOf } from '../../../crds/wire/measure.ts';
import { FORMATS } from '../page/state/format.ts';
import type { ReportAlarm, ReportDrifted } from '../report/report-schema.ts';
import { grouped, percent, plainPercent, seconds } from '../view/format.ts';

/** What is known of a drift's rows so far. */
export interface DriftedRows {
  readonly n: number;
  readonly early: number;
  /** Answered unlike the backbone, or the sum of what their boxes lose. Pending: the run is not over. Null: it was not compared. */
  readonly k: number | null | 'Pending';
}

/** What happened to the exits since a drift began. */
export interface DriftEvents {
  readonly fromSeconds: number;
  readonly wereExitsOn: boolean;
  readonly hintedSeconds: number | null;
  readonly tightenedSeconds: number | null;
  /** The first since. */
  readonly alarm: ReportAlarm | null;
  readonly audits: number;
}

export function outcomeOf({ alarm, tightenedSeconds }: DriftEvents): ReportDrifted['outcome'] {
  if (alarm !== null) return 'Alarm';
  return tightenedSeconds === null ? 'NoAlarm' : 'LambdaTightened';
}

/** `hint after 4.0 s, exits off after 9.0 s, ...`: what became of a drift, in the order in which it came. */
export function tellEvents(events: DriftEvents): string {
  const { fromSeconds, hintedSeconds, tightenedSeconds, alarm } = events;
  const after = (at: number): string => seconds(1000 * (at - fromSeconds));
  return [
    events.wereExitsOn ? [] : ['exits were off as it began'],
    hintedSeconds === null ? [] : [`hint after ${after(hintedSeconds)}`],
    tightenedSeconds === null
      ? []
      : [`lambda tightened by the newest look after ${after(tightenedSeconds)}`],
    alarm === null ? [`no alarm on ${grouped(events.audits)} audits`] : tellAlarm(alarm, after),
  ]
    .flat()
    .join(', ');
}

function tellAlarm(
  { offSeconds, backSeconds, backBy }: ReportAlarm,
  after: (at: number) => string,
): string[] {
  if (offSeconds === null) return ['alarm, exits not off yet'];
  const off = `exits off after ${after(offSeconds)}`;
  if (backSeconds === null) return [`${off} and not back on`];
  const by = backBy === 'Recertified' ? 'the same heads certified again' : 'heads trained anew';
  return [off, `back on after ${after(backSeconds)} (${by})`];
}

/** How many rows the drift met with exits on, and how many of their answers were wrong, whether or not an alarm came. */
export function tellRows(
  { n, early, k }: DriftedRows,
  of: {
    readonly budget: number;
    /** What the budget bounds. */
    readonly agreement: AgreementName;
    readonly isOff: boolean;
  },
): string {
  const { budget, isOff } = of;
  const { format, rows } = measureOf(of);
  const until = isOff ? 'Until exits were off' : 'Since it began';
  if (n === 0) return `${until}, no drifted row was answered.`;
  const answered = `${until}, ${grouped(n)} drifted rows were answered, ${early === 0 ? 'none' : grouped(early)} of them early`;
  if (early === 0) return `${answered}.`;
  if (k === 'Pending') return `${answered}; the backbone answers these again after the run.`;
  if (k === null) return `${answered}, and not compared with the backbone.`;
  const side = k / n > budget ? 'above' : 'within';
  return `${answered}, and ${FORMATS[format](k)} ${rows.of}: ${percent(k / n, 2)} of all, ${side} the budget of ${plainPercent(budget)}.`;
}
