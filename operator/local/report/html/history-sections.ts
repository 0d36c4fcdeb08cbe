import { measureOf } from '../../../../crds/wire/measure.ts';
import { finePercent, milliseconds, percent, plainPercent } from '../../page/state/format.ts';
import type { Report } from '../report-schema.ts';
import { exitColour, exitKey } from './exit-colour.ts';
import { figure } from './figure.ts';
import { markup, NOTHING, type Markup } from './markup.ts';
import { barPlot, type Bar } from './plots.ts';
import { areaPlot, linePlot } from './time-plots.ts';

/** Who answered over the time of the run, earliest exit at the bottom; exits that never answered are left out. */
export function courseSection({ history, exits }: Report): Markup {
  if (history.length < 2) return NOTHING;
  const names = [...exits.map(({ name }) => name), 'backbone'];
  const shown = names.filter((_, exit) => history.some(({ rows }) => (rows[exit] ?? 0) > 0));
  const layers = shown.map((name) => ({
    colour: exitColour(name, exits),
    shares: history.map(({ rows }) => {
      const all = rows.reduce((sum, count) => sum + count, 0);
      return all === 0 ? null : (rows[names.indexOf(name)] ?? 0) / all;
    }),
  }));
  const seconds = history.map(({ atSeconds }) => atSeconds);
  const legend = shown.map((name) => exitKey(name, exits));
  return markup`<section><h2>Who answered over time</h2>${areaPlot('Share of rows by exit over the time of the run', seconds, layers)}<ul class="legend">${legend}</ul></section>`;
}

/** Audited disagreement with its upper bound against the budget, from the first audited row on. */
export function evidenceSection(report: Report): Markup {
  const { history, certificate } = report;
  const { title, noun, format } = measureOf(report);
  const audited = history.filter(({ audits }) => audits > 0);
  const last = audited.at(-1);
  if (certificate === null || last === undefined || audited.length < 2) return NOTHING;
  const budget = certificate.epsilon;
  const index = history.length - 1;
  const most = Math.min(1, Math.max(budget * 2.5, last.upper * 1.3));
  const of = (value: (point: (typeof audited)[number]) => number): (number | null)[] =>
    history.map((point) => (point.audits === 0 ? null : value(point)));
  const plot = linePlot(
    `Audited ${noun} and its upper bound over the time of the run, against the budget`,
    history.map(({ atSeconds }) => atSeconds),
    { most, yText: finePercent },
    [
      { style: 'is-budget', values: history.map(() => budget) },
      { style: 'is-upper', values: of(({ upper }) => upper) },
      { style: 'is-share', values: of(({ audits, disagreements }) => disagreements / audits) },
    ],
  );
  return markup`<section><h2>${title} over time</h2>${plot}<ul class="legend"><li>${lineKey('is-share')}audited ${noun}: ${figure(last.disagreements, `history.${index}.disagreements`, format)} of ${figure(last.audits, `history.${index}.audits`, 'grouped')} rows at the end</li><li>${lineKey('is-upper')}upper bound: ${figure(last.upper, `history.${index}.upper`, 'finePercent')} at the end</li><li>${lineKey('is-budget')}budget: ${plainPercent(budget)}</li></ul></section>`;
}

function lineKey(style: string): Markup {
  return markup`<svg viewBox="0 0 16 10" class="wide" aria-hidden="true"><path class="line ${style}" d="M0 5H16"/></svg>`;
}

const COLUMNS = ['p50', 'p99'] as const;

/** Latency under the traffic's own load, by who answered. */
export function exitLatencySection({ latencyByExit, exits }: Report): Markup {
  const names = [...exits.map(({ name }) => name), 'backbone'].filter(
    (name) => latencyByExit[name] !== undefined,
  );
  if (names.length === 0) return NOTHING;
  const bars = names.flatMap((name): Bar[] =>
    COLUMNS.map((column) => {
      const value = latencyByExit[name]?.[column] ?? null;
      return {
        label: `${name}, ${column}`,
        value,
        text: `${milliseconds(value)} ms`,
        colour: exitColour(name, exits),
      };
    }),
  );
  return markup`<section><h2>Latency by exit</h2>${barPlot('Latency by exit, in milliseconds', bars)}<p class="quiet">At the client, of the whole run, under the load of the traffic: waiting for a batch is part of it.</p></section>`;
}

/** What exits saved while they served, as shares of the backbone alone; a loss is a bar of no length. */
export function savingSection({ serving }: Report): Markup {
  const bars = (
    [
      ['multiply-adds', serving.netMacsSavedRatio],
      ['engine time', serving.netTimeSavedRatio],
      ['mean latency', serving.meanLatencySavedRatio],
    ] as const
  ).map(([label, value]): Bar => ({ label, value, text: percent(value), colour: 'cached' }));
  if (bars.every(({ value }) => value === null)) return NOTHING;
  return markup`<section><h2>What exits saved</h2>${barPlot('Savings against the backbone alone', bars, 1)}<p class="quiet">While exits served, the full width is everything. Work and time are net of heads and audits.</p></section>`;
}
