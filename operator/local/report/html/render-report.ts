import { measureOf } from '../../../../crds/wire/measure.ts';
import { plainPercent, shortDigest } from '../../page/state/format.ts';
import type { Report } from '../report-schema.ts';
import { figure } from './figure.ts';
import {
  courseSection,
  evidenceSection,
  exitLatencySection,
  savingSection,
} from './history-sections.ts';
import { markup, Markup } from './markup.ts';
import { eventsSection, exitsSection, factsSection, timeSection } from './run-sections.ts';
import {
  accuracySection,
  disagreementSection,
  latencySection,
  shareSection,
  tiles,
} from './scope-sections.ts';
import { REPORT_STYLE } from './style.ts';

/**
 * report.html: the figures of report.json for people, in one file without script that loads nothing. A pure function of the
 * report, so that the two cannot differ.
 */
export function renderReport(report: Report): string {
  const title = `${report.service}: report of a local run`;
  const style = new Markup(`<style>${REPORT_STYLE}</style>`);
  const { text } = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
${style}
</head>
<body>
<main>
<header><h1>${title}</h1><p class="sub">layercache ${report.engine.versions.layercache ?? ''}, engine ${report.engine.kind} on ${report.engine.device}, ${report.traffic.source}</p></header>
${verdicts(report)}
${tiles(report)}
${savingSection(report)}
${shareSection(report)}
${courseSection(report)}
${disagreementSection(report)}
${evidenceSection(report)}
${latencySection(report)}
${exitLatencySection(report)}
${accuracySection(report)}
${timeSection(report)}
${eventsSection(report)}
${exitsSection(report)}
${factsSection(report)}
</main>
</body>
</html>
`;
  return text;
}

function verdicts(report: Report): readonly Markup[] {
  const { certificate, complete } = report;
  const { noun, rows, format } = measureOf(report);
  const granted =
    certificate === null
      ? markup`<p class="verdict missing"><b>○ Not certified.</b> The backbone answered everything.</p>`
      : markup`<p class="verdict granted"><b>✓ Certified:</b> at most ${plainPercent(certificate.epsilon)} ${noun} at ${plainPercent(1 - certificate.delta)} confidence. ${figure(certificate.disagreements, 'certificate.disagreements', format)} of ${figure(certificate.n, 'certificate.n', 'grouped')} audited rows ${rows.then}, lambda ${figure(certificate.lambda, 'certificate.lambda', 'lambda')}, look ${certificate.look}, heads ${shortDigest(certificate.headRevision)}.</p>`;
  const cut = markup`<p class="verdict missing"><b>■ Incomplete.</b> The run was interrupted, or early answers could not be compared with the backbone.</p>`;
  return complete ? [granted] : [granted, cut];
}
