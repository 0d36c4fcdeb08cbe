import { spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { createMetricRegistry } from '../../server/metrics.ts';
import { createServerMetrics } from '../../server/server-metrics.ts';
import { fillWithExits } from '../support/full-metrics.ts';
import { parseMetricPage } from '../support/metric-page.ts';

/** Between two scrapes of the past: 288 times less than there would be, so that a test can write them. */
export const PAST_STEP_SECONDS = 900;
const EXITS = ['block1', 'block2', 'block3', 'block4'];
/** One block for as long as Prometheus allows; each one is a pass over the file. */
const BLOCK = '720h';

interface PastPods {
  readonly pods: number;
  /** Services that share them. */
  readonly services: number;
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

/** What a server page says of 4 exits on both tracks, families that `isAsked` alone: `name{labels` and a value. */
async function pageOf(
  isAsked: (family: string) => boolean,
): Promise<readonly (readonly [string, number])[]> {
  const registry = createMetricRegistry('MODEL');
  createServerMetrics(registry, '0.1.0');
  fillWithExits(registry, EXITS);
  const { series } = parseMetricPage((await registry.render()).text);
  return [...series]
    .filter(([key]) => isAsked(key.replace(/\{.*$/, '').replace(/_(bucket|count|sum)$/, '')))
    .map(([key, value]) => [key.replace(/\}$/, ''), value] as const);
}

/** Pods of one file: promtool reads each once for every block. */
const PODS_OF_A_FILE = 25;

/** Writes the past of many pods into blocks of a Prometheus that starts on this folder. Returns the number of series. */
export async function backfill(
  folder: string,
  past: readonly PastPods[],
  isAsked: (family: string) => boolean,
): Promise<number> {
  const page = await pageOf(isAsked);
  let series = 0;
  for (const part of past) {
    for (let first = 0; first < part.pods; first += PODS_OF_A_FILE) {
      const last = Math.min(part.pods, first + PODS_OF_A_FILE);
      await importPods(folder, { page, part, first, last });
      series += (last - first) * page.length;
    }
  }
  return series;
}

interface Import {
  readonly page: Awaited<ReturnType<typeof pageOf>>;
  readonly part: PastPods;
  readonly first: number;
  readonly last: number;
}

async function importPods(folder: string, { page, part, first, last }: Import): Promise<void> {
  const file = join(folder, 'past.txt');
  const stream = createWriteStream(file);
  for (let pod = first; pod < last; pod++) {
    const service = `s${pod % part.services}`;
    const labels = `,job="models",namespace="n",pod="${service}-${pod}"`;
    for (const [key, value] of page) {
      const name = `${key.replace('"MODEL"', `"${service}"`)}${labels}}`;
      if (!stream.write(linesOf(name, value, part))) await once(stream, 'drain');
    }
  }
  stream.end('# EOF\n');
  await once(stream, 'finish');
  const { status, stderr } = spawnSync(
    'promtool',
    [
      ...['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', `--max-block-duration=${BLOCK}`],
      ...[file, join(folder, 'data')],
    ],
    { encoding: 'utf8' },
  );
  await rm(file);
  if (status !== 0) throw new Error(`promtool could not write the past: ${stderr}`);
}

function linesOf(name: string, value: number, { fromSeconds, toSeconds }: PastPods): string {
  const grows = /^\w+_(total|bucket|count|sum)\{/.test(name);
  let lines = '';
  for (let at = fromSeconds, i = 1; at <= toSeconds; at += PAST_STEP_SECONDS, i++) {
    lines += `${name} ${grows ? value * i : value} ${at}\n`;
  }
  return lines;
}
