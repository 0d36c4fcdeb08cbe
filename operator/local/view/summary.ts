import { measureOf } from '../../../crds/wire/measure.ts';
import { FORMATS } from '../page/state/format.ts';
import { reportedComparison } from '../report/comparing-exit.ts';
import type { Report, ReportAlarm, ReportScope } from '../report/report-schema.ts';
import { grouped, milliseconds, percent, plainPercent, seconds } from './format.ts';
import { renderStatement } from './screen.ts';

/** The outcome of a run in a few lines. */
export function summariseReport(report: Report): string[] {
  const { certificate, serving } = report;
  const { noun, format } = measureOf(report);
  const certified =
    certificate === null
      ? 'certificate  none'
      : `certificate  at most ${plainPercent(certificate.epsilon)} ${noun} at ${plainPercent(1 - certificate.delta)}: ${FORMATS[format](certificate.disagreements)} of ${grouped(certificate.n)} audited rows, look ${certificate.look}`;
  return [
    certified,
    `serving      ${grouped(serving.requests)} rows: ${shares(serving)}`,
    ...earlierFrames(report),
    `${noun.padEnd(13)}${disagreement(serving, FORMATS[format])}`,
    `saved        ${percent(serving.netMacsSavedRatio)} of multiply-adds, ${percent(serving.netTimeSavedRatio)} of engine time, ${percent(serving.meanLatencySavedRatio)} of mean latency${latencies(serving)}`,
    ...(serving.accuracy === null ? [] : [accuracy(serving.accuracy)]),
    `errors       ${grouped(report.errors.count)}`,
    ...report.drills.map(({ flag, message }) => `drill        ${flag}: ${message}`),
    ...report.alarms.map((one) => alarm(one, report)),
    ...report.statements.map(renderStatement),
  ];
}

function alarm({ reason, atSeconds, drift }: ReportAlarm, report: Report): string {
  const at = `alarm        ${reason} at ${seconds(1000 * atSeconds)}`;
  if (drift === null) return at;
  const { n, k } = drift.served;
  const { format, rows } = measureOf(report);
  const wrong =
    k === null
      ? 'not compared with the backbone'
      : `${FORMATS[format](k)} ${rows.were} (${percent(n === 0 ? null : k / n, 2)})`;
  return `${at}, ${seconds(1000 * (atSeconds - drift.fromSeconds))} after the drift began, on ${grouped(drift.audits)} audits; ${grouped(n)} drifted rows were answered meanwhile, ${wrong}`;
}

function shares(scope: ReportScope): string {
  const entries = Object.entries(scope.exitShare);
  return entries.length === 0
    ? '-'
    : entries.map(([exit, share]) => `${exit} ${percent(share)}`).join(', ');
}

/** What an earlier frame of the same source answered. */
function earlierFrames(report: Report): string[] {
  const { serving, traffic } = report;
  const exit = reportedComparison(report);
  if (exit === null) return [];
  const share = serving.requests === 0 ? null : (serving.exitShare[exit.name] ?? 0);
  const clips = traffic.clips === undefined ? '' : ` of ${grouped(traffic.clips)} clips`;
  return [
    `frames       ${percent(share)}${clips} answered by an earlier frame of their source (${exit.name}, ${exit.sourceHeader})`,
  ];
}

function disagreement(scope: ReportScope, rowsText: (rows: number | null) => string): string {
  const { n, k, upper } = scope.auditedDisagreement;
  const audited =
    n === 0
      ? 'no audits'
      : `audited ${percent(k / n, 2)} (upper ${percent(upper, 2)}, n ${grouped(n)})`;
  const truth = scope.trueDisagreement;
  if (truth === null) return `${audited}; not compared with the backbone`;
  const ratio = truth.n === 0 ? null : truth.k / truth.n;
  return `${audited}; true ${percent(ratio, 2)} (${rowsText(truth.k)} of ${grouped(truth.n)} rows)`;
}

function latencies(scope: ReportScope): string {
  const { backbone, layercache } = scope.latencyMs;
  if (backbone === null || layercache === null) return '';
  return ` (${milliseconds(backbone.mean)} -> ${milliseconds(layercache.mean)} ms)`;
}

function accuracy({ n, served, backbone }: NonNullable<ReportScope['accuracy']>): string {
  return `accuracy     served ${percent(served, 2)}, backbone ${percent(backbone, 2)} (n ${grouped(n)})`;
}
