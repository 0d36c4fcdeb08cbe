import type { Unit } from '../../../charts/generate/dashboards/panel.ts';
import { stack, type Line } from './chart-lines.ts';
import { BOTTOM, LEFT, secondWidth, type Drawing } from './drawing.ts';
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

interface Axis {
  readonly least: number;
  readonly most: number;
}

/** Lines over time as SVG, with a left axis and, if a target wants it, a right one. */
export function drawTimeChart(chart: TimeChart): string {
  const { width, height, lines, interval, isStacked } = chart;
  const right = chart.rightUnit === null ? 10 : LEFT;
  const drawn = isStacked ? stack(lines) : lines;
  const left = axisOf(drawn.filter((line) => !line.isRight));
  const other = axisOf(drawn.filter((line) => line.isRight));
  const second = secondWidth(interval, width - LEFT - right);
  const x = (at: number): number => LEFT + (at - interval.from) * second;
  const yOf =
    ({ least, most }: Axis) =>
    (value: number): number =>
      height - BOTTOM - ((value - least) / (most - least || 1)) * (height - BOTTOM - TOP);
  const path = (line: Line): string => pathOf(line, x, yOf(line.isRight ? other : left));
  return [
    `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    ...ticks(left).map((value) => gridLine(yOf(left)(value), unitText(value, chart.unit), chart)),
    ...(chart.rightUnit === null ? [] : rightTicks(other, yOf(other), chart)),
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

function axisOf(lines: readonly Line[]): Axis {
  const values = lines
    .flatMap(({ points }) => points.map(([, value]) => value))
    .filter((value) => Number.isFinite(value));
  const most = values.length === 0 ? 1 : Math.max(...values, 0);
  const least = values.length === 0 ? 0 : Math.min(...values, 0);
  return { least, most: most === least ? least + 1 : most * 1.05 };
}

function ticks({ least, most }: Axis): number[] {
  return Array.from({ length: TICKS + 1 }, (_, i) => least + ((most - least) * i) / TICKS);
}

function gridLine(y: number, text: string, { width }: Drawing): string {
  return `<path d="M${LEFT} ${y}H${width - 10}" stroke="#2c3235"/><text x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${escapeText(text)}</text>`;
}

function rightTicks(axis: Axis, y: (value: number) => number, chart: TimeChart): string[] {
  return ticks(axis).map(
    (value) =>
      `<text x="${chart.width - LEFT + 6}" y="${y(value) + 4}">${escapeText(unitText(value, chart.rightUnit!))}</text>`,
  );
}

function timeTicks(x: (at: number) => number, { height, interval }: Drawing): string[] {
  const { from, to } = interval;
  return [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = from + (to - from) * part;
    return `<text x="${x(at)}" y="${height - 4}" text-anchor="middle">${Math.round(at - from)} s</text>`;
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
