import { clockTime, grouped, shortDigest } from '../../page/state/format.ts';
import type { Report, ReportDrifted } from '../report-schema.ts';
import { figure } from './figure.ts';
import { markup, type Content, type Markup } from './markup.ts';
import { timePlot } from './plots.ts';

export function timeSection({ phases, alarms }: Report): Markup {
  const spans = phases.map(({ stage, startSeconds, seconds }) => ({
    name: stage,
    startSeconds,
    seconds,
  }));
  const rows = phases.map(({ stage, startSeconds, seconds, requests }, i) => [
    stage,
    figure(startSeconds, `phases.${i}.startSeconds`, 'clockTime'),
    figure(seconds, `phases.${i}.seconds`, 'duration'),
    figure(requests, `phases.${i}.requests`, 'grouped'),
  ]);
  const marks = alarms.map(({ atSeconds }) => atSeconds);
  return markup`<section><h2>Stages</h2>${timePlot('Stages of the run over time', spans, marks)}${table(['stage', '#from', '#took', '#requests'], rows)}</section>`;
}

export function exitsSection({ exits }: Report): Markup {
  const rows = exits.map(({ name, tensor, sourceHeader, macsShare, msShare, head }, i) => [
    name,
    sourceHeader === undefined
      ? (tensor ?? 'companion')
      : `${tensor ?? ''}, against the frame before of ${sourceHeader}`,
    figure(macsShare, `exits.${i}.macsShare`, 'percent'),
    figure(msShare, `exits.${i}.msShare`, 'percent'),
    ...headCells(head, `exits.${i}.head`, tensor === null),
  ]);
  const companion = exits.some(({ tensor }) => tensor === null)
    ? '; of a companion its own, in terms of the backbone'
    : '';
  const columns = ['exit', 'tensor', '#work', '#time', 'head', '#agrees', '#covers'];
  return markup`<section><h2>Exits</h2><p class="quiet">Work and time: share of the backbone up to the cut${companion}. Agrees and covers: on validation rows of the training.</p>${table(columns, rows)}</section>`;
}

function headCells(
  head: Report['exits'][number]['head'],
  at: string,
  isCompanion: boolean,
): Content[] {
  if (head === null) return ['no head', '–', '–'];
  const layers = head.hidden === 0 ? 'linear' : `${head.hidden} hidden`;
  const shape = isCompanion ? 'a model of its own' : `pool ${head.pool}, ${layers}`;
  return [
    markup`${shape}, ${figure(head.macs, `${at}.macs`, 'grouped')} multiply-adds`,
    figure(head.agreement, `${at}.agreement`, 'percent'),
    figure(head.coverage, `${at}.coverage`, 'percent'),
  ];
}

/** Alarms, steps of the rollout, drills: what happened, when and why. */
export function eventsSection({ rollouts, alarms, drills, statements }: Report): readonly Markup[] {
  const events = [
    ...rollouts.map((event) => ({ ...event, isAlarm: false })),
    ...alarms.map((event) => ({ ...event, isAlarm: true })),
  ].sort((a, b) => a.atSeconds - b.atSeconds);
  const said = statements.map(
    ({ reason, message, nextStep }) =>
      markup`<p class="verdict missing"><b>${reason}</b> ${message} ${nextStep}</p>`,
  );
  const decisions = markup`<section><h2>Decisions</h2>${
    events.length === 0
      ? markup`<p class="quiet">No rollout and no alarm.</p>`
      : table(
          ['#at', 'reason', 'message', 'heads'],
          events.map(({ atSeconds, reason, message, headRevision, isAlarm }) => [
            clockTime(atSeconds),
            isAlarm ? markup`<b>▲ ${reason}</b>` : reason,
            message,
            shortDigest(headRevision),
          ]),
        )
  }</section>`;
  return [...said, decisions, ...alarmSection(alarms), ...drillSection(drills)];
}

function alarmSection(alarms: Report['alarms']): readonly Markup[] {
  if (alarms.length === 0) return [];
  const rows = alarms.map((alarm, i) => [
    figure(alarm.atSeconds, `alarms.${i}.atSeconds`, 'clockTime'),
    figure(alarm.offSeconds, `alarms.${i}.offSeconds`, 'clockTime'),
    figure(alarm.backSeconds, `alarms.${i}.backSeconds`, 'clockTime'),
    alarm.backBy ?? 'not in this run',
    alarm.drift === null
      ? '–'
      : markup`${figure(alarm.drift.audits, `alarms.${i}.drift.audits`, 'grouped')} audited, ${wrongOf(alarm.drift.served)}`,
  ]);
  const columns = ['#alarm', '#exits off', '#back on', 'by', 'between the drift and exits off'];
  return [markup`<section><h2>Alarms</h2>${table(columns, rows)}</section>`];
}

function wrongOf({ n, k }: { readonly n: number; readonly k: number | null }): string {
  return k === null
    ? `${grouped(n)} rows served`
    : `${grouped(k)} of ${grouped(n)} served rows wrong`;
}

function drillSection(drills: Report['drills']): readonly Markup[] {
  if (drills.length === 0) return [];
  const rows = drills.map((drill, i) => [
    markup`<code>${drill.flag}</code>`,
    figure(drill.atSeconds, `drills.${i}.atSeconds`, 'clockTime'),
    drill.message,
    figure(drill.failedRequests, `drills.${i}.failedRequests`, 'grouped'),
    drill.held === null ? '–' : figure(drill.held.failed, `drills.${i}.held.failed`, 'grouped'),
    figure(drill.recoveredSeconds, `drills.${i}.recoveredSeconds`, 'duration'),
    driftedCell(drill.drifted, `drills.${i}.drifted`),
  ]);
  const columns = [
    'drill',
    '#at',
    'outcome',
    '#failed requests',
    '#held by the killed',
    '#recovered after',
    'drifted rows',
  ];
  return [markup`<section><h2>Drills</h2>${table(columns, rows)}</section>`];
}

function driftedCell(drifted: ReportDrifted | null, at: string): Content {
  if (drifted === null) return '–';
  const { n, early, k } = drifted;
  const wrong = k === null ? 'not compared' : markup`${figure(k, `${at}.k`, 'grouped')} wrong`;
  return markup`${figure(n, `${at}.n`, 'grouped')} answered, ${figure(early, `${at}.early`, 'grouped')} early, ${wrong}`;
}

export function factsSection(report: Report): Markup {
  const { engine, backbone, traffic } = report;
  const facts: [string, Content][] = [
    ['engine', `${engine.kind} on ${engine.device}, ${engine.threads} threads`],
    [
      'versions',
      Object.entries(engine.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    [
      'backbone',
      markup`<code>${backbone.digest}</code>, ${figure(backbone.macs, 'backbone.macs', 'grouped')} multiply-adds a row`,
    ],
    [
      'traffic',
      traffic.headSource === null
        ? traffic.source
        : `${traffic.source}; heads on ${traffic.headSource}`,
    ],
    ...clipFacts(traffic),
    [
      'rows left out',
      markup`${figure(traffic.droppedDuplicates, 'traffic.droppedDuplicates', 'grouped')} duplicates, ${figure(traffic.skippedRows, 'traffic.skippedRows', 'grouped')} skipped${traffic.repeated ? '; rows were repeated (--loop)' : ''}`,
    ],
    ['command', markup`<code>${report.command}</code>`],
  ];
  return markup`<section><h2>Run</h2><dl class="facts">${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl></section>`;
}

function clipFacts({ clips }: Report['traffic']): [string, Content][] {
  if (clips === undefined) return [];
  return [
    [
      'order',
      markup`frames of ${figure(clips, 'traffic.clips', 'grouped')} clips, each in its order`,
    ],
  ];
}

/** A column whose title begins with # holds figures. */
function table(columns: readonly string[], rows: readonly (readonly Content[])[]): Markup {
  const isNumber = columns.map((title) => title.startsWith('#'));
  const head = columns.map(
    (title, i) =>
      markup`<th scope="col"${isNumber[i] === true ? markup` class="n"` : ''}>${title.replace('#', '')}</th>`,
  );
  const body = rows.map(
    (cells) =>
      markup`<tr>${cells.map((cell, i) => markup`<td class="${isNumber[i] === true ? 'n' : 'wrap'}">${cell}</td>`)}</tr>`,
  );
  return markup`<div class="scroll" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}
