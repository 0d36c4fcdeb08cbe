import { clockTime } from '../../page/state/format.ts';
import { markup, type Markup } from './markup.ts';

// Plots over the time of a run, as SVG without script. What a colour stands for is told by the legend below the plot.

const WIDTH = 640;
const HEIGHT = 190;
const LEFT = 52;
const TOP = 10;
const BOTTOM = 24;
/** Room for half of the last time. */
const RIGHT = 22;

/** Where a plot draws: times to x, shares of `most` to y. */
interface Axes {
  readonly x: (seconds: number) => number;
  readonly y: (value: number) => number;
}

function axesOf(seconds: readonly number[], most: number): Axes {
  const end = Math.max(1, seconds.at(-1) ?? 0);
  return {
    x: (at) => round(LEFT + ((WIDTH - LEFT - RIGHT) * at) / end),
    y: (value) => round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, value / most))),
  };
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}

function frame(
  title: string,
  axes: Axes,
  grid: {
    readonly seconds: readonly number[];
    readonly most: number;
    readonly yText: (value: number) => string;
  },
  body: readonly Markup[],
): Markup {
  const { seconds, most, yText } = grid;
  const end = Math.max(1, seconds.at(-1) ?? 0);
  const rules = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const y = axes.y(part * most);
    return markup`<line class="rule" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/><text class="label" x="${LEFT - 8}" y="${y + 4}">${yText(part * most)}</text>`;
  });
  const times = [0, 0.25, 0.5, 0.75, 1].map(
    (part) =>
      markup`<text class="tick" x="${axes.x(part * end)}" y="${HEIGHT - 6}">${clockTime(part * end)}</text>`,
  );
  return markup`<div class="plot" tabindex="0"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${rules}${body}${times}</svg></div>`;
}

export interface Layer {
  readonly colour: string;
  /** Of each moment, or null where nothing is known. */
  readonly shares: readonly (number | null)[];
}

/** Shares of a whole over time, stacked from the bottom; a moment without any leaves a gap in all of them. */
export function areaPlot(
  title: string,
  seconds: readonly number[],
  layers: readonly Layer[],
): Markup {
  const axes = axesOf(seconds, 1);
  const stacked = seconds.map(() => 0);
  const areas = layers.map(({ colour, shares }) => {
    const lower = [...stacked];
    shares.forEach((share, i) => {
      stacked[i] = (stacked[i] ?? 0) + (share ?? 0);
    });
    const paths = runsOf(shares).map(([from, to]) => {
      const at = (i: number, level: readonly number[]): string =>
        `${axes.x(seconds[i] ?? 0)} ${axes.y(level[i] ?? 0)}`;
      const forth = indices(from, to).map((i) => at(i, stacked));
      const back = indices(from, to).reverse();
      return `M${[...forth, ...back.map((i) => at(i, lower))].join('L')}Z`;
    });
    return markup`<path class="${colour}" d="${paths.join('')}"/>`;
  });
  const yText = (share: number): string => `${Math.round(share * 100)}%`;
  return frame(title, axes, { seconds, most: 1, yText }, areas);
}

export interface Line {
  /** Class of the style sheet. */
  readonly style: string;
  readonly values: readonly (number | null)[];
}

/** Lines over time on one scale from zero to `most`; what lies above it is drawn at its edge. */
export function linePlot(
  title: string,
  seconds: readonly number[],
  scale: { readonly most: number; readonly yText: (value: number) => string },
  lines: readonly Line[],
): Markup {
  const axes = axesOf(seconds, scale.most);
  const drawn = lines.map(({ style, values }) => {
    const paths = runsOf(values).map(
      ([from, to]) =>
        `M${indices(from, to)
          .map((i) => `${axes.x(seconds[i] ?? 0)} ${axes.y(values[i] ?? 0)}`)
          .join('L')}`,
    );
    return markup`<path class="line ${style}" d="${paths.join('')}"/>`;
  });
  return frame(title, axes, { seconds, ...scale }, drawn);
}

/** First and last index of each stretch without a null. */
function runsOf(values: readonly (number | null)[]): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  values.forEach((value, i) => {
    if (value === null) return;
    const last = runs.at(-1);
    if (last?.[1] === i - 1) last[1] = i;
    else runs.push([i, i]);
  });
  return runs;
}

function indices(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
