import { join } from 'node:path';
import { mkdir, rm } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { BOARDS } from '../../charts/generate/dashboards/boards.ts';
import { ruleFile } from '../../charts/generate/alerts/rule-groups.ts';
import { systemClock } from '../../server/clock.ts';
import { selectorsOf } from '../unit/boards/promql.ts';
import { interpolate } from './ask-board.ts';
import { backfill, PAST_STEP_SECONDS } from './backfill.ts';
import {
  prometheusFolder,
  prometheusMissing,
  startPrometheus,
  type Prometheus,
  type QueryCost,
} from './prometheus.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;
const FLEET = { pods: 200, services: 20 };
/** Values across a panel: Grafana asks for one a pixel, and boards draw three or two panels side by side. */
const POINTS = 480;
/** A third of the 50 million that Prometheus allows a query as it comes; measured: 12.5 million, for latency by exit. */
const MAX_PEAK_SAMPLES = 16e6;

const targets = BOARDS.flatMap(({ uid, rows }) =>
  rows.flatMap(({ panels }) =>
    panels.flatMap((panel) => panel.targets.map(({ expr }) => ({ uid, title: panel.title, expr }))),
  ),
);

/** As Grafana asks: the rate interval holds four scrapes and is no shorter than a step. */
function asked(expr: string, step: number): string {
  const interval = Math.max(4 * PAST_STEP_SECONDS, step);
  return interpolate(expr.replaceAll('$__rate_interval', `${interval}s`));
}

describe.skipIf(prometheusMissing !== null)(
  'of a past of 30 days, with 200 pods in the last',
  () => {
    let prometheus: Prometheus;
    const now = Math.floor(systemClock.nowMs() / 1000 / PAST_STEP_SECONDS) * PAST_STEP_SECONDS;
    beforeAll(async () => {
      const folder = await prometheusFolder();
      await mkdir(join(folder, 'data'));
      const families = new Set(
        targets.flatMap(({ expr }) => selectorsOf(interpolate(expr)).map(({ metric }) => metric)),
      );
      const isAsked = (family: string): boolean =>
        ['', '_bucket', '_count', '_sum'].some((suffix) => families.has(family + suffix));
      const past = [
        { ...FLEET, fromSeconds: now - DAY, toSeconds: now },
        { pods: 2, services: 1, fromSeconds: now - 30 * DAY, toSeconds: now - DAY },
      ];
      const series = await backfill(folder, past, isAsked).catch(async (error: unknown) => {
        await rm(folder, { recursive: true });
        throw error;
      });
      expect(series).toBeGreaterThan(200 * 200);
      prometheus = await startPrometheus([], ruleFile(), {
        folder,
        flags: [
          '--storage.tsdb.retention.time=60d',
          `--query.lookback-delta=${PAST_STEP_SECONDS}s`,
          `--query.max-samples=${MAX_PEAK_SAMPLES}`,
        ],
      });
      return () => prometheus.close();
    }, 900_000);

    async function costs(days: number): Promise<(QueryCost & { title: string; expr: string })[]> {
      const step = Math.round((days * DAY) / POINTS);
      const found = [];
      for (const { title, expr } of targets) {
        const range = { from: now - days * DAY, to: now, step };
        found.push({ title, expr, ...(await prometheus.cost(asked(expr, step), range)) });
      }
      return found.sort((a, b) => b.peakSamples - a.peakSamples);
    }

    test('a day of 200 pods costs no query of a board a third of what Prometheus allows', async () => {
      const found = await costs(1);
      const dear = found.slice(0, 5).map(({ title, peakSamples }) => `${title} ${peakSamples}`);
      process.stderr.write(`${dear.join('\n')}\n`);
      expect(found.filter(({ peakSamples }) => peakSamples > MAX_PEAK_SAMPLES)).toEqual([]);
      // Most boards have something to show, so the cost is that of an answer.
      expect(found.filter(({ series }) => series > 0).length).toBeGreaterThan(targets.length / 2);
    });

    test('nor do 30 days', async () => {
      const found = await costs(30);
      expect(found.filter(({ peakSamples }) => peakSamples > MAX_PEAK_SAMPLES)).toEqual([]);
    });
  },
);
