/** The sum of all series of one metric on a page of Prometheus; 0 when it has none. */
export function sumOfMetric(page: string, metric: string): number {
  return page
    .split('\n')
    .filter((line) => line.startsWith(metric) && /^[ {]/.test(line.slice(metric.length)))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
    .filter(Number.isFinite)
    .reduce((sum, value) => sum + value, 0);
}
