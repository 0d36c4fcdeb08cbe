import { parseMetricSamples } from './metric-samples.ts';

/** The sum of all series of each metric on a page of Prometheus, by its name. */
export function metricSums(page: string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { name, value } of parseMetricSamples(page)) {
    sums.set(name, (sums.get(name) ?? 0) + value);
  }
  return sums;
}
