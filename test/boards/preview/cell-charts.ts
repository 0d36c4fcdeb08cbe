import type { Sample } from '../prometheus.ts';
import { legendText } from './chart-lines.ts';
import { BOTTOM, roomFor, secondWidth, type Drawing } from './drawing.ts';
import { escapeText } from './escape-text.ts';

/** Buckets over time: each bucket less the one below it, darker where there is more. */
export function drawHeat(samples: readonly Sample[], drawing: Drawing): string {
  const { width, height, interval } = drawing;
  const rows = [...samples].sort((a, b) => boundOf(a) - boundOf(b));
  const cells = rows.map(({ values }, i) =>
    values.map(([at, value]) => {
      const below = rows[i - 1]?.values.find(([other]) => other === at)?.[1] ?? 0;
      return [at, Math.max(0, value - below)] as const;
    }),
  );
  const most = Math.max(...cells.flatMap((row) => row.map(([, value]) => value)), 1e-9);
  const rowHeight = (height - BOTTOM) / Math.max(1, rows.length);
  const left = roomFor(rows.map(({ metric }) => metric.le ?? ''));
  const second = secondWidth(interval, width - left);
  const rectangles = cells.flatMap((row, i) =>
    row
      .filter(([, value]) => value > 0)
      .map(
        ([at, value]) =>
          `<rect x="${left + (at - interval.from) * second}" y="${height - BOTTOM - (i + 1) * rowHeight}" width="${second + 0.5}" height="${rowHeight}" fill="#ff9830" fill-opacity="${(0.12 + (0.88 * value) / most).toFixed(2)}"/>`,
      ),
  );
  const names = rows.map(
    (row, i) =>
      `<text x="${left - 6}" y="${height - BOTTOM - (i + 0.35) * rowHeight}" text-anchor="end">${escapeText(row.metric.le ?? '')}</text>`,
  );
  return `<svg width="${width}" height="${height}">${rectangles.join('')}${names.join('')}</svg>`;
}

function boundOf({ metric }: Sample): number {
  return Number((metric.le ?? '').replace('Inf', 'Infinity'));
}

/** A line for each series, filled while its value is 1. */
export function drawTimeline(
  samples: readonly Sample[],
  { legend, color }: { readonly legend: string; readonly color: string },
  { width, height, interval }: Drawing,
): string {
  const left = roomFor(samples.map((sample) => legendText(legend, sample)));
  const rowHeight = Math.min(22, height / Math.max(1, samples.length));
  const drawnHeight = rowHeight * samples.length;
  const second = secondWidth(interval, width - left);
  const rows = samples.map((sample, i) => {
    const filled = sample.values
      .filter(([, value]) => value > 0)
      .map(
        ([at]) =>
          `<rect x="${left + (at - interval.from) * second}" y="${i * rowHeight + 2}" width="${second + 0.5}" height="${rowHeight - 4}" fill="${color}"/>`,
      );
    return `<text x="${left - 8}" y="${(i + 0.7) * rowHeight}" text-anchor="end">${escapeText(legendText(legend, sample))}</text>${filled.join('')}`;
  });
  return `<svg width="${width}" height="${drawnHeight}">${rows.join('')}</svg>`;
}
