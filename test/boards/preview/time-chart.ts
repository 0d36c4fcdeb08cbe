import type { Unit } from '../../../charts/generate/dashboards/panel.ts';
import { stack, type Line } from './chart-lines.ts';
import { BOTTOM, roomFor, secondWidth, type Drawing } from './drawing.ts';
import { escapeText } from './escape-text.ts';
import { unitText } from './unit-text.ts';

export interface TimeChart extends Drawing {
  readonly lines: readonly Line[];
  readonly isStacked: boolean;
  readonly unit: Unit;
  /** Of the right axis; null: there is none. */
  readonly rightUnit: Unit | null;
}

const TOP = 6;
const TICKS = 4;
/** A sum of shares may be a little more than all. */
const ROUNDING = 1e-6;

interface Axis {
  readonly least: number;
  readonly most: number;
  /** Between two lines of the grid. */
  readonly step: number;
}

/** Lines over time as SVG, with a left axis and, if a target wants it, a right one. */
export function drawTimeChart(chart: TimeChart): string {
  const { width, height, lines, interval, isStacked } = chart;
  const drawn = isStacked ? stack(lines) : lines;
  const left = axisOf(drawn.filter((line) => !line.isRight));
  const other = axisOf(drawn.filter((line) => line.isRight));
  const textsOf = (axis: Axis, unit: Unit): string[] =>
    ticks(axis).map((value) => unitText(value, unit));
  const start = roomFor(textsOf(left, chart.unit));
  const end = width - (chart.rightUnit === null ? 10 : roomFor(textsOf(other, chart.rightUnit)));
  const second = secondWidth(interval, end - start);
  const x = (at: number): number => start + (at - interval.from) * second;
  const yOf =
    ({ least, most }: Axis) =>
    (value: number): number =>
      height - BOTTOM - ((value - least) / (most - least || 1)) * (height - BOTTOM - TOP);
  const path = (line: Line): string => pathOf(line, x, yOf(line.isRight ? other : left));
  return [
    `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    ...ticks(left).map((value) =>
      gridLine(yOf(left)(value), unitText(value, chart.unit), { start, end }),
    ),
    ...(chart.rightUnit === null
      ? []
      : ticks(other).map((value) =>
          rightText(yOf(other)(value), unitText(value, chart.rightUnit!), end),
        )),
    ...timeTicks(x, chart),
    ...[...drawn].reverse().map((line) => {
      const dash = line.isLimit ? ' stroke-dasharray="8 6"' : '';
      const color = line.isLimit ? '#e02f44' : line.color;
      const area =
        isStacked && line.points.length > 1
          ? `<path d="${path(line)} L${x(line.points.at(-1)![0])} ${height - BOTTOM} L${x(line.points[0]![0])} ${height - BOTTOM}Z" fill="${color}" fill-opacity=".55"/>`
          : '';
      return `${area}<path d="${path(line)}" fill="none" stroke="${color}" stroke-width="1.6"${dash}/>`;
    }),
    '</svg>',
  ].join('');
}

/** From 0 or below to what is drawn, in steps of 1, 2 or 5 and zeros. */
function axisOf(lines: readonly Line[]): Axis {
  const values = lines
    .flatMap(({ points }) => points.map(([, value]) => value))
    .filter((value) => Number.isFinite(value));
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const least = values.reduce((a, b) => Math.min(a, b), 0);
  const step = roundStep((most === least ? 1 : most - least) / TICKS);
  return {
    least: Math.floor(least / step) * step,
    most: Math.max(step, Math.ceil(most / step - ROUNDING) * step),
    step,
  };
}

function roundStep(step: number): number {
  const zeros = 10 ** Math.floor(Math.log10(step));
  return zeros * ([1, 2, 5].find((digit) => step <= digit * zeros) ?? 10);
}

function ticks({ least, most, step }: Axis): number[] {
  const count = Math.round((most - least) / step);
  return Array.from({ length: count + 1 }, (_, i) => least + i * step);
}

function gridLine(
  y: number,
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
): string {
  return `<path d="M${start} ${y}H${end}" stroke="#2c3235"/><text x="${start - 6}" y="${y + 4}" text-anchor="end">${escapeText(text)}</text>`;
}

function rightText(y: number, text: string, end: number): string {
  return `<text x="${end + 6}" y="${y + 4}">${escapeText(text)}</text>`;
}

function timeTicks(x: (at: number) => number, { height, interval }: Drawing): string[] {
  const { from, to } = interval;
  return [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = from + (to - from) * part;
    const anchor = part === 1 ? 'end' : 'middle';
    return `<text x="${x(at)}" y="${height - 4}" text-anchor="${anchor}">${Math.round(at - from)} s</text>`;
  });
}

/** A gap where there is no value, and where a second is missing. */
function pathOf({ points }: Line, x: (at: number) => number, y: (value: number) => number): string {
  let [path, before] = ['', -Infinity];
  for (const [at, value] of points) {
    if (!Number.isFinite(value)) continue;
    path += `${at - before > 1.5 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    if (at - before > 1.5) path += 'h.5';
    before = at;
  }
  return path;
}
