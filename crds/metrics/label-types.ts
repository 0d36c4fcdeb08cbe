import type { MetricFamily } from './catalogue.ts';

/** Labels of a family as callers write them: another label, or a value that the catalogue does not list, does not compile. */
export type Labels<F extends MetricFamily> = {
  readonly [L in keyof F['labels']]: F['labels'][L] extends readonly string[]
    ? F['labels'][L][number]
    : string;
};

export interface CounterHandle<L> {
  inc(labels: L, count?: number): void;
}

export interface HistogramHandle<L> {
  /** @param traceId shown as exemplar where exemplars are on */
  observe(labels: L, value: number, traceId?: string | null): void;
}

/** All series of labels that are closed lists, else none: so many start at 0. `fixed` are values of the others. */
export function closedSeries(
  labels: MetricFamily['labels'],
  fixed: Readonly<Record<string, string>> = {},
): Record<string, string>[] {
  let series: Record<string, string>[] = [{}];
  for (const [label, known] of Object.entries(labels)) {
    const given = fixed[label];
    const values = given === undefined ? known : [given];
    if (typeof values === 'string') return [];
    series = series.flatMap((one) => values.map((value) => ({ ...one, [label]: value })));
  }
  return series;
}
