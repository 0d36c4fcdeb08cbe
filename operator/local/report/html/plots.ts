import { markup, NOTHING, type Markup } from './markup.ts';

// Plots as SVG without script. Every colour has its text beside it, and every plot a title that is read out.

const WIDTH = 640;
const LABEL = 150;
const BAR = 22;
const ROW = 34;
/** Room for the text right of a bar, and right of an interval. */
const BAR_TEXT = 70;
const INTERVAL_TEXT = 190;

/** x for a share 0..1 of what lies between the labels and the texts. */
function place(share: number, textWidth = BAR_TEXT): number {
  return round(LABEL + (WIDTH - LABEL - textWidth) * Math.max(0, Math.min(1, share)));
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}

function frame(title: string, rows: number, body: readonly Markup[]): Markup {
  const height = rows * ROW + 8;
  return markup`<div class="plot" tabindex="0"><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">${body}</svg></div>`;
}

export interface Bar {
  readonly label: string;
  readonly value: number | null;
  readonly text: string;
  /** Class of the style sheet. */
  readonly colour: string;
}

/**
 * Horizontal bars from zero on one scale, which ends at `full` or else at the largest; a negative value is a bar of no length
 * with its text.
 */
export function barPlot(title: string, bars: readonly Bar[], full?: number): Markup {
  const most = full ?? Math.max(...bars.map(({ value }) => value ?? 0), 1e-12);
  return frame(
    title,
    bars.length,
    bars.map(({ label, value, text, colour }, i) => {
      const y = i * ROW + 6;
      const end = place(Math.max(0, value ?? 0) / most);
      return markup`<text class="label" x="${LABEL - 10}" y="${y + 16}">${label}</text
        ><rect class="${colour}" x="${LABEL}" y="${y}" width="${round(end - LABEL)}" height="${BAR}" rx="3"
        /><text class="value" x="${end + 6}" y="${y + 16}">${text}</text>`;
    }),
  );
}

export interface Segment {
  readonly share: number;
  readonly text: string;
  readonly colour: string;
}

/** One bar per row, cut into shares that add up to one. */
export function stackPlot(
  title: string,
  rows: readonly { readonly label: string; readonly segments: readonly Segment[] }[],
): Markup {
  return frame(
    title,
    rows.length,
    rows.map(({ label, segments }, i) => {
      const y = i * ROW + 6;
      let start = 0;
      const parts = segments.map(({ share, text, colour }) => {
        const [from, to] = [place(start), place(start + share)];
        start += share;
        const isWide = to - from > 7 * text.length;
        return markup`<rect class="${colour}" x="${from}" y="${y}" width="${round(to - from)}" height="${BAR}"><title>${text}</title></rect>${
          isWide
            ? markup`<text class="inside" x="${round((from + to) / 2)}" y="${y + 16}">${text}</text>`
            : NOTHING
        }`;
      });
      return markup`<text class="label" x="${LABEL - 10}" y="${y + 16}">${label}</text>${parts}`;
    }),
  );
}

export interface Interval {
  readonly label: string;
  readonly point: number | null;
  /** Upper bound; null: the point is a count of everything, not an estimate. */
  readonly upper: number | null;
  readonly text: string;
}

/** Points with their upper bounds against a limit. */
export function intervalPlot(
  title: string,
  intervals: readonly Interval[],
  limit: { readonly value: number; readonly text: string } | null,
): Markup {
  const values = intervals.flatMap(({ point, upper }) => [point ?? 0, upper ?? 0]);
  // A bound of a few audits would flatten all others: the scale ends at five budgets.
  const most = Math.min(
    Math.max(...values, limit === null ? 0 : limit.value * 1.4, 1e-9),
    limit === null ? 1 : limit.value * 5,
  );
  const x = (share: number): number => place(share / most, INTERVAL_TEXT);
  const bottom = intervals.length * ROW;
  const line =
    limit === null
      ? NOTHING
      : markup`<line class="limit" x1="${x(limit.value)}" x2="${x(limit.value)}" y1="2" y2="${bottom}"
          /><text class="limit-text" x="${x(limit.value) + 5}" y="${bottom + 14}">${limit.text}</text>`;
  const rows = intervals.map(({ label, point, upper, text }, i) => {
    const y = i * ROW + 17;
    const at = x(point ?? 0);
    const end = upper === null ? at : x(upper);
    return markup`<text class="label" x="${LABEL - 10}" y="${y + 5}">${label}</text
      ><line class="whisker" x1="${at}" x2="${end}" y1="${y}" y2="${y}"
      /><circle class="dot" cx="${at}" cy="${y}" r="${point === null ? 0 : 5}"
      /><text class="value" x="${end + 9}" y="${y + 5}">${text}</text>`;
  });
  return frame(title, intervals.length + 0.6, [line, ...rows]);
}

export interface Span {
  readonly name: string;
  readonly startSeconds: number;
  readonly seconds: number;
}

/** Stages over time, with a mark for each alarm. */
export function timePlot(title: string, spans: readonly Span[], alarms: readonly number[]): Markup {
  const end = Math.max(1, ...spans.map(({ startSeconds, seconds }) => startSeconds + seconds));
  const x = (seconds: number): number => round((WIDTH * seconds) / end);
  const bands = spans.map(({ name, startSeconds, seconds }) => {
    const [from, width] = [x(startSeconds), x(seconds)];
    return markup`<rect class="band-${name.toLowerCase()} band" x="${from}" y="18" width="${width}" height="26"><title>${name}</title></rect>${
      width > 8 * name.length
        ? markup`<text class="band-text" x="${from + 6}" y="35">${name}</text>`
        : NOTHING
    }`;
  });
  const marks = alarms.map(
    (at) => markup`<path class="alarm" d="M${x(at) - 6} 4h12l-6 11z"><title>alarm</title></path>`,
  );
  return markup`<div class="plot" tabindex="0"><svg viewBox="0 0 ${WIDTH} 48" role="img" aria-label="${title}">${bands}${marks}</svg></div>`;
}
