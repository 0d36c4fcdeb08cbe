import type {
  Board,
  Panel,
  TablePanel,
  TimePanel,
  Unit,
} from '../../../charts/generate/dashboards/panel.ts';
import type { PanelAnswer } from '../ask-board.ts';
import type { Sample } from '../prometheus.ts';
import type { Interval } from '../script-clock.ts';
import { drawHeat, drawTimeline } from './cell-charts.ts';
import { colorOf, legendText, type Line } from './chart-lines.ts';
import type { Drawing } from './drawing.ts';
import { escapeText } from './escape-text.ts';
import { drawTimeChart } from './time-chart.ts';
import { unitText } from './unit-text.ts';

/** Pixels of one of 24 columns. */
const COLUMN = 58;
const HEIGHTS = { Time: 170, Heat: 190, Timeline: 190, Stat: 60, Table: 0 } as const;

/** The panels of a board with the answers of a run, as a page of its own without script. It is no Grafana, and says so. */
export function renderPreview(
  board: Board,
  answers: readonly PanelAnswer[],
  interval: Interval,
): string {
  const rows = board.rows.map(({ title, panels }) => {
    const drawn = panels.map((panel) => {
      const answer = answers.find((one) => one.panel === panel)!;
      return drawPanel(answer, interval);
    });
    return `<h2>${escapeText(title)}</h2><div class="row">${drawn.join('')}</div>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeText(board.title)}: preview, not Grafana</title><style>${STYLE}</style><h1>${escapeText(board.title)} <small>preview, not Grafana</small></h1><p>${escapeText(board.description)}</p>${rows.join('')}</html>`;
}

const STYLE = `
body { background: #111217; color: #ccccdc; font: 13px sans-serif; width: ${24 * COLUMN}px; margin: 16px auto; }
h1 { font-size: 20px } h1 small { color: #e0b400; font-weight: normal } h2 { font-size: 15px; margin: 18px 0 6px }
.row { display: grid; grid-template-columns: repeat(24, 1fr); gap: 8px }
section { background: #181b1f; border: 1px solid #25282d; padding: 8px; min-width: 0; overflow: hidden }
h3 { font-size: 13px; margin: 0 0 4px } svg { display: block; max-width: 100% } svg text { fill: #9a9ba5; font-size: 11px }
ul { list-style: none; padding: 0; margin: 4px 0 0; font-size: 11px } li { display: inline-block; margin-right: 10px }
i { display: inline-block; width: 12px; height: 3px; margin-right: 4px; vertical-align: middle }
strong { font-size: 30px; font-weight: 500; color: #5794f2 } .bad strong { color: #e02f44 } .good strong { color: #73bf69 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: 4px 8px; border-bottom: 1px solid #25282d }
`;

function drawPanel(answer: PanelAnswer, interval: Interval): string {
  const { panel } = answer;
  const tone = panel.kind === 'Stat' && panel.isBadAboveZero ? toneOf(answer) : '';
  return `<section style="grid-column: span ${panel.width}" class="${tone}"><h3 title="${escapeText(panel.description)}">${escapeText(panel.title)}</h3>${contentOf(answer, interval)}</section>`;
}

const lastOf = ({ values }: Sample): number => values.at(-1)?.[1] ?? NaN;

function toneOf({ answers }: PanelAnswer): string {
  return answers.some(({ samples }) => samples.some((sample) => lastOf(sample) > 0))
    ? 'bad'
    : 'good';
}

function contentOf({ panel, answers }: PanelAnswer, interval: Interval): string {
  const size = { width: panel.width * COLUMN - 26, height: HEIGHTS[panel.kind], interval };
  const [{ target, samples }] = answers as [PanelAnswer['answers'][number]];
  switch (panel.kind) {
    case 'Stat':
      return `<strong>${escapeText(samples.map((one) => unitText(lastOf(one), panel.unit)).join())}</strong>`;
    case 'Heat':
      return drawHeat(samples, size);
    case 'Timeline':
      return drawTimeline(
        samples,
        { legend: target.legend, color: panel.isBad === undefined ? '#73bf69' : '#e02f44' },
        size,
      );
    case 'Table':
      return drawTable(panel, answers);
    case 'Time':
      return drawTime(panel, linesOf(answers), size);
  }
}

function drawTime(panel: TimePanel, lines: readonly Line[], size: Drawing): string {
  const isStacked = panel.isStacked ?? false;
  const axes = { unit: panel.unit, rightUnit: rightUnitOf(panel) };
  return `${drawTimeChart({ ...size, ...axes, lines, isStacked })}<ul>${lines.map(legendItem).join('')}</ul>`;
}

function rightUnitOf({ targets }: Panel): Unit | null {
  return targets.find(({ right }) => right !== undefined)?.right ?? null;
}

function linesOf(answers: PanelAnswer['answers']): Line[] {
  return answers.flatMap(({ target, samples }) =>
    samples.map((sample) => {
      const name = legendText(target.legend, sample);
      return {
        ...{ name, color: colorOf(name), points: sample.values },
        isLimit: name.endsWith('budget'),
        isRight: target.right !== undefined,
      };
    }),
  );
}

function legendItem({ name, color, isLimit }: Line): string {
  return `<li><i style="background: ${isLimit ? '#e02f44' : color}"></i>${escapeText(name)}</li>`;
}

/** One line for each (namespace, model), as Grafana's merge makes it. */
function drawTable(panel: TablePanel, answers: PanelAnswer['answers']): string {
  const keyOf = ({ metric }: Sample): string => `${metric.namespace ?? ''}/${metric.model ?? ''}`;
  const current = answers.map(({ samples }) => {
    const newest = Math.max(...samples.map(({ values }) => values.at(-1)?.[0] ?? 0));
    return samples.filter(({ values }) => values.at(-1)?.[0] === newest);
  });
  const keys = [...new Set(current.flatMap((samples) => samples.map(keyOf)))];
  const head = panel.columns.map((column) => column?.title ?? 'State');
  const lines = keys.map((key) => {
    const cells = panel.columns.map((column, i) => {
      const sample = current[i]?.find((one) => keyOf(one) === key);
      if (sample === undefined) return '-';
      return column === null ? (sample.metric.state ?? '') : unitText(lastOf(sample), column.unit);
    });
    return `<tr>${[key, ...cells].map((cell) => `<td>${escapeText(cell)}</td>`).join('')}</tr>`;
  });
  const titles = ['Service', ...head].map((title) => `<th>${escapeText(title)}</th>`).join('');
  return `<table><tr>${titles}</tr>${lines.join('')}</table>`;
}
