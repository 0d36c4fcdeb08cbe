import { createMetricRegistry } from '../../../server/metrics.ts';
import { createServerMetrics } from '../../../server/server-metrics.ts';
import { fillToTheBrim } from '../../support/full-metrics.ts';
import { atMost, seen, type Figure } from '../figure.ts';
import { quantile } from '../median.ts';

const SCRAPES = 200;
const WARM_SCRAPES = 20;

/** The metrics page at its largest: how long one scrape holds the event loop at a time. */
export async function measureScrape(): Promise<Figure[]> {
  const registry = createMetricRegistry('bench');
  createServerMetrics(registry, '0.0.0');
  fillToTheBrim(registry);
  for (let i = 0; i < WARM_SCRAPES; i++) await registry.render();
  const longest: number[] = [];
  const durations: number[] = [];
  for (let i = 0; i < SCRAPES; i++) {
    const gaps = watchTurns();
    const startMs = performance.now();
    await registry.render();
    durations.push(performance.now() - startMs);
    longest.push(gaps.stop());
  }
  const { text } = await registry.render();
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  const section = 'scrape of the largest page';
  return [
    atMost({ section, name: 'series' }, series, 2_000),
    seen({ section, name: 'bytes' }, text.length),
    seen({ section, name: 'duration, p50', unit: 'ms' }, quantile(durations, 0.5)),
    seen({ section, name: 'longest block of a scrape, p50', unit: 'ms' }, quantile(longest, 0.5)),
    atMost(
      { section, name: 'longest block of a scrape, p99', unit: 'ms' },
      quantile(longest, 0.99),
      5,
    ),
    seen({ section, name: 'longest block of all scrapes', unit: 'ms' }, Math.max(...longest)),
  ];
}

/** Turns the event loop without a pause; the longest time between two turns is the longest block. */
function watchTurns(): { stop: () => number } {
  let lastMs = performance.now();
  let longestMs = 0;
  const look = (): void => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  };
  const turn = (): void => {
    look();
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  return {
    stop: () => {
      clearImmediate(next);
      look();
      return longestMs;
    },
  };
}
