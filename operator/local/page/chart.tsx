import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { Swatch } from './parts.tsx';
import { colourOf } from './theme.ts';

export interface ChartSeries {
  readonly label: string;
  /** Name of a colour of the style sheet. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly dashed?: boolean;
  readonly filled?: boolean;
  readonly isStepped?: boolean;
  /** Text of a value in the legend; `values` are drawn, this is what they stand for. */
  readonly text: (index: number) => string;
}

export interface ChartProps {
  /** What is drawn, for those who cannot see it. */
  readonly label: string;
  readonly x: readonly number[];
  readonly xText: (x: number) => string;
  readonly xLabel?: string;
  readonly isLogX?: boolean;
  readonly series: readonly ChartSeries[];
  readonly yText: (y: number) => string;
  /** The y axis reaches at least this far. */
  readonly yTop?: number;
  /** The y axis ends here. */
  readonly yMax?: number;
  /** A dashed vertical line with its text. */
  readonly mark?: { readonly x: number; readonly text: string } | null;
  /** The legend tells this index while there is no cursor; the last one when left out. */
  readonly restAt?: { readonly index: number; readonly text: string };
  readonly isDark: boolean;
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot's enum is ambient and const: its values have no names at run time
const LOGARITHMIC = 3 as uPlot.Scale.Distr;
const FONT = '11px system-ui, "DejaVu Sans", sans-serif';

/**
 * A line chart that is also a slider over its x axis: arrow keys move a cursor, and the legend tells the values under it,
 * the latest ones without a cursor.
 */
export function Chart(props: ChartProps): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [cursor, setCursor] = useState<number | null>(null);
  const { x, series, isDark } = props;
  const shape = series.map(({ label, colour }) => `${label} ${colour}`).join('|');

  useEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    const made = new uPlot(optionsOf(latest, sizeOf(element), setCursor), dataOf(props), element);
    plot.current = made;
    const resize = new ResizeObserver(() => {
      made.setSize(sizeOf(element));
    });
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, isDark]);

  useEffect(() => {
    plot.current?.setData(dataOf(props));
    // Not on a move of the cursor: it changes nothing of what the parent gave.
  }, [series]);

  const last = x.length - 1;
  const at = Math.min(cursor ?? props.restAt?.index ?? last, last);
  const move = (index: number): void => {
    const made = plot.current;
    const bounded = Math.max(0, Math.min(last, index));
    const value = x[bounded];
    if (made === null || value === undefined) return;
    made.setCursor({ left: made.valToPos(value, 'x'), top: 10 }, false);
    setCursor(bounded);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const target = keyTarget(event.key, at, last);
    if (target === undefined) return;
    event.preventDefault();
    if (target !== null) move(target);
    else {
      plot.current?.setCursor({ left: -10, top: -10 }, false);
      setCursor(null);
    }
  };
  const where = x[at] === undefined ? '' : props.xText(x[at]);
  const texts = series.map(({ label, text }) => `${label} ${at < 0 ? '–' : text(at)}`);
  return (
    <div class="chart">
      <div
        class="canvas"
        ref={holder}
        tabIndex={0}
        role="slider"
        aria-label={`${props.label}. Arrow keys move along the axis.`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, at)}
        aria-valuetext={`${where}: ${texts.join(', ')}`}
        onKeyDown={onKeyDown}
        onBlur={() => {
          setCursor(null);
        }}
      />
      <p class="legend">
        <span class="where">{cursor === null ? (props.restAt?.text ?? 'latest') : where}</span>
        {series.map(({ label, colour, dashed, text }) => (
          <span class="key" key={label}>
            <Swatch colour={colour} dashed={dashed === true} />
            {label} <b class="num">{at < 0 ? '–' : text(at)}</b>
          </span>
        ))}
      </p>
    </div>
  );
}

/** Undefined: not our key; null: away with the cursor. */
function keyTarget(key: string, at: number, last: number): number | null | undefined {
  const page = Math.max(1, Math.round(last / 10));
  const targets: Readonly<Record<string, number | null>> = {
    ArrowLeft: at - 1,
    ArrowDown: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at + 1,
    PageDown: at - page,
    PageUp: at + page,
    Home: 0,
    End: last,
    Escape: null,
  };
  return targets[key];
}

/** A hidden chart has no size of its own. */
function sizeOf({ clientWidth, clientHeight }: HTMLElement): { width: number; height: number } {
  return { width: Math.max(160, clientWidth), height: Math.max(120, clientHeight) };
}

function dataOf({ x, series }: ChartProps): uPlot.AlignedData {
  return [[...x], ...series.map(({ values }) => [...values])];
}

function optionsOf(
  latest: { readonly current: ChartProps },
  size: { readonly width: number; readonly height: number },
  setCursor: (index: number | null) => void,
): uPlot.Options {
  const { series, isLogX, xLabel } = latest.current;
  const axis = {
    stroke: colourOf('quiet'),
    font: FONT,
    grid: { stroke: colourOf('grid'), width: 1 },
  };
  return {
    ...size,
    legend: { show: false },
    padding: [10, 12, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: false, ...(isLogX === true ? { distr: LOGARITHMIC } : {}) },
      y: { range: (_, low, high) => yRange(latest.current, low, high) },
    },
    axes: [
      {
        ...axis,
        size: xLabel === undefined ? 28 : 40,
        ticks: { show: false },
        gap: 4,
        ...(xLabel === undefined
          ? {}
          : { label: xLabel, labelFont: FONT, labelSize: 14, labelGap: 0 }),
        values: (_, ticks) =>
          ticks.map((tick) => (typeof tick === 'number' ? latest.current.xText(tick) : '')),
        ...(isLogX === true ? {} : { space: 64, incrs: SECONDS }),
      },
      {
        ...axis,
        size: 54,
        gap: 6,
        space: 36,
        ticks: { show: false },
        values: (_, ticks) => ticks.map((tick) => latest.current.yText(tick)),
      },
    ],
    series: [{}, ...series.map(toSeries)],
    hooks: {
      setCursor: [
        (made) => {
          setCursor(made.cursor.idx ?? null);
        },
      ],
      draw: [
        (made) => {
          drawMark(made, latest.current);
        },
      ],
    },
  };
}

const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800];

function toSeries({ label, colour, dashed, filled, isStepped }: ChartSeries): uPlot.Series {
  const stroke = colourOf(colour);
  return {
    label,
    stroke,
    width: 1.75,
    points: { show: false },
    spanGaps: false,
    ...(dashed === true ? { dash: [6, 4] } : {}),
    ...(filled === true ? { fill: colourOf(`${colour}-fill`) || stroke } : {}),
    ...(isStepped === true && uPlot.paths.stepped !== undefined
      ? { paths: uPlot.paths.stepped({ align: 1 }) }
      : {}),
  };
}

function yRange({ yTop = 0, yMax }: ChartProps, _low: number, high: number): [number, number] {
  if (yMax !== undefined) return [0, yMax];
  const top = Math.max(Number.isFinite(high) ? high : 0, yTop);
  return [0, top <= 0 ? 1 : top * 1.12];
}

function drawMark(made: uPlot, { mark }: ChartProps): void {
  if (mark === null || mark === undefined) return;
  const { ctx, bbox } = made;
  const x = made.valToPos(mark.x, 'x', true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colourOf('ink');
  ctx.fillStyle = colourOf('ink');
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = `${11 * ratio}px system-ui, "DejaVu Sans", sans-serif`;
  const isRight = x > bbox.left + bbox.width / 2;
  ctx.textAlign = isRight ? 'right' : 'left';
  ctx.fillText(mark.text, x + (isRight ? -5 : 5) * ratio, bbox.top + 11 * ratio);
  ctx.restore();
}
