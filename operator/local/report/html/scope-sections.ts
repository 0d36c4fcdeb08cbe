import { measureOf } from '../../../../crds/wire/measure.ts';
import { finePercent, milliseconds, percent, plainPercent } from '../../page/state/format.ts';
import { reportedComparison } from '../comparing-exit.ts';
import type { Report, ReportScope } from '../report-schema.ts';
import { exitColour, exitSwatch } from './exit-colour.ts';
import { figure } from './figure.ts';
import { markup, type Markup } from './markup.ts';
import { barPlot, intervalPlot, stackPlot, type Bar, type Interval } from './plots.ts';

/** What the run saved, at which price: the serving scope, since the whole run has stages without exits. */
export function tiles(report: Report): Markup {
  const { serving, errors } = report;
  const { auditedDisagreement: audited, trueDisagreement: truth } = serving;
  const { noun, format } = measureOf(report);
  return markup`<dl class="tiles">
    <div><dt>Multiply-adds saved</dt><dd>${figure(serving.netMacsSavedRatio, 'serving.netMacsSavedRatio', 'percent')}<small>net of heads and audits</small></dd></div>
    <div><dt>Engine time saved</dt><dd>${figure(serving.netTimeSavedRatio, 'serving.netTimeSavedRatio', 'percent')}<small>net of heads and audits</small></dd></div>
    <div><dt>Mean latency saved</dt><dd>${figure(serving.meanLatencySavedRatio, 'serving.meanLatencySavedRatio', 'percent')}<small>at the client, one at a time</small></dd></div>
    <div><dt>True ${noun}</dt><dd>${finePercent(ratio(truth))}<small>${
      truth === null
        ? 'not compared with the backbone'
        : markup`${figure(truth.k, 'serving.trueDisagreement.k', format)} of ${figure(truth.n, 'serving.trueDisagreement.n', 'grouped')} rows`
    }</small></dd></div>
    <div><dt>Audited ${noun}</dt><dd>${finePercent(ratio(audited))}<small>at most ${figure(audited.upper, 'serving.auditedDisagreement.upper', 'finePercent')}, n ${figure(audited.n, 'serving.auditedDisagreement.n', 'grouped')}</small></dd></div>
    <div><dt>Errors</dt><dd>${figure(errors.count, 'errors.count', 'grouped')}<small>${errorText(errors.byCode)}</small></dd></div>
  </dl>`;
}

function ratio(counts: { readonly n: number; readonly k: number } | null): number | null {
  return counts === null || counts.n === 0 ? null : counts.k / counts.n;
}

function errorText(byCode: Report['errors']['byCode']): string {
  const codes = Object.entries(byCode).map(([code, count]) => `${code} ${count}`);
  return codes.length === 0 ? 'every request was answered' : codes.join(', ');
}

export function shareSection(report: Report): Markup {
  const names = [...report.exits.map(({ name }) => name), 'backbone'];
  const comparing = reportedComparison(report);
  const earlier =
    comparing === null
      ? ''
      : `${comparing.name}: by the answer to an earlier frame of the source that ${comparing.sourceHeader} names. `;
  const row = (label: string, scope: ReportScope) => ({
    label,
    segments: names.flatMap((name) => {
      const share = scope.exitShare[name];
      if (share === undefined) return [];
      return [{ share, text: `${name} ${percent(share)}`, colour: exitColour(name, report.exits) }];
    }),
  });
  const legend = names
    .filter((name) => name in report.run.exitShare)
    .map(
      (name) =>
        markup`<li>${exitSwatch(name, report.exits)}${name}: ${
          name in report.serving.exitShare
            ? markup`serving ${figure(report.serving.exitShare[name] ?? null, `serving.exitShare.${name}`, 'percent')}, `
            : ''
        }run ${figure(report.run.exitShare[name] ?? null, `run.exitShare.${name}`, 'percent')}</li>`,
    );
  return markup`<section><h2>Who answered</h2>${stackPlot('Share of rows by exit', [
    row('serving', report.serving),
    row('whole run', report.run),
  ])}<ul class="legend">${legend}</ul><p class="quiet">${earlier}Serving: ${figure(report.serving.requests, 'serving.requests', 'grouped')} rows while one certified revision had all traffic and exits were on. Whole run: ${figure(report.run.requests, 'run.requests', 'grouped')} rows, those that trained heads included.</p></section>`;
}

export function disagreementSection(report: Report): Markup {
  const { serving, run, certificate } = report;
  const { title, noun, backboneTitle } = measureOf(report);
  const audited = (label: string, scope: ReportScope): Interval => {
    const { n, k, upper } = scope.auditedDisagreement;
    const point = n === 0 ? null : k / n;
    return {
      label,
      point,
      upper: n === 0 ? null : upper,
      text: n === 0 ? 'no audits' : `${finePercent(point)}, at most ${finePercent(upper)}`,
    };
  };
  const truth = ratio(serving.trueDisagreement);
  const intervals: Interval[] = [
    audited('audited, serving', serving),
    audited('audited, whole run', run),
    {
      label: 'true, serving',
      point: truth,
      upper: null,
      text: truth === null ? 'not compared' : finePercent(truth),
    },
  ];
  const limit =
    certificate === null
      ? null
      : { value: certificate.epsilon, text: `budget ${plainPercent(certificate.epsilon)}` };
  return markup`<section><h2>${backboneTitle}</h2>${intervalPlot(`${title} against the budget`, intervals, limit)}<p class="quiet">Dots: shares; lines: up to the upper bound. True ${noun} is counted after the run, the backbone answering every early row again; it decides nothing.</p></section>`;
}

const COLUMNS = ['mean', 'p50', 'p99'] as const;

export function latencySection({ serving }: Report): Markup {
  const { backbone, layercache } = serving.latencyMs;
  if (backbone === null || layercache === null) {
    return markup`<section><h2>Latency</h2><p class="quiet">Exits did not serve long enough to compare latencies.</p></section>`;
  }
  const bars = COLUMNS.flatMap((column): Bar[] => [
    bar(`${column}, plain`, backbone[column], 'plain'),
    bar(`${column}, layercache`, layercache[column], 'cached'),
  ]);
  const row = (name: string, at: string, values: typeof backbone): Markup =>
    markup`<tr><th scope="row">${name}</th>${COLUMNS.map((column) => markup`<td class="n">${figure(values[column], `${at}.${column}`, 'milliseconds')}</td>`)}</tr>`;
  return markup`<section><h2>Latency at the client</h2>${barPlot('Latency, plain backbone and layercache, in milliseconds', bars)}<table><thead><tr><th scope="col">one at a time, ms</th>${COLUMNS.map((column) => markup`<th class="n" scope="col">${column}</th>`)}</tr></thead><tbody>${row('plain backbone', 'serving.latencyMs.backbone', backbone)}${row('layercache', 'serving.latencyMs.layercache', layercache)}</tbody></table></section>`;
}

function bar(label: string, value: number, colour: string): Bar {
  return { label, value, text: `${milliseconds(value)} ms`, colour };
}

export function accuracySection({ serving }: Report): readonly Markup[] {
  const { accuracy } = serving;
  if (accuracy === null) return [];
  return [
    markup`<section><h2>Accuracy on labelled rows</h2><p>Served ${figure(accuracy.served, 'serving.accuracy.served', 'finePercent')}, backbone ${figure(accuracy.backbone, 'serving.accuracy.backbone', 'finePercent')}, n ${figure(accuracy.n, 'serving.accuracy.n', 'grouped')}. Labels decide nothing; they are for this report only.</p></section>`,
  ];
}
