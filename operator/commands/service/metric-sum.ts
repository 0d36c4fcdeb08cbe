import { parseMetricSamples } from './metric-samples.ts';

/** The sum of all series of one metric on a page of Prometheus; 0 when it has none. */
export function sumOfMetric(page: string, metric: string): number {
  return parseMetricSamples(page)
    .filter(({ name }) => name === metric)
    .reduce((sum, { value }) => sum + value, 0);
}
