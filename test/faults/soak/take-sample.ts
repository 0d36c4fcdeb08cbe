import { readdirSync } from 'node:fs';
import { parseMetricPage, type MetricPage } from '../../support/metric-page.ts';
import { rssOf } from '../../support/served-process.ts';
import type { Sample } from './judge-soak.ts';

/** A process and its metrics page, if it has one. */
export interface Watched {
  readonly pid: number;
  readonly page: string | null;
}

/** @throws when the process is gone: what a run watches lives as long as the run */
export async function takeSample({ pid, page }: Watched): Promise<Sample> {
  // Asked first: the connection is one of the handles, each time.
  const series = page === null ? 0 : (await readMetricPage(page)).series.size;
  return {
    atMs: performance.now(),
    mebibytes: rssOf(pid) / 2 ** 20,
    handles: readdirSync(`/proc/${pid}/fd`).length,
    series,
  };
}

export async function readMetricPage(url: string): Promise<MetricPage> {
  return parseMetricPage(await (await fetch(url)).text());
}
