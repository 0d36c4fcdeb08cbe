import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePorts } from '../cluster/harness/free-ports.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/test-server.ts';

const isThere = ['prometheus', 'setpriv'].every(
  (program) => spawnSync(program, ['--version']).status === 0,
);

/** Why no query can be asked here; null where Prometheus is. Said aloud once: a skipped check must not look like a passed one. */
export const prometheusMissing: string | null = isThere
  ? null
  : 'prometheus or setpriv is missing: Debian has them in the packages prometheus and util-linux';

if (prometheusMissing !== null) process.stderr.write(`SKIPPED: ${prometheusMissing}\n`);

/** A page to scrape, with the labels that a scrape in a cluster would give it. */
export interface ScrapeTarget {
  readonly job: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** Seconds and values; NaN where Prometheus says so. */
  readonly values: readonly (readonly [number, number])[];
}

/** Between two values of a range. */
export const STEP_SECONDS = 1;

/** Seconds since 1970, and seconds between two values. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

export interface Prometheus {
  range(expr: string, fromSeconds: number, toSeconds: number): Promise<readonly Sample[]>;
  cost(expr: string, range: Range): Promise<QueryCost>;
  /** As `label_values(match, label)` of a board is asked. */
  labelValues(match: string, label: string): Promise<readonly string[]>;
  /** All series of a query at one time, each with one value. */
  at(expr: string, seconds: number): Promise<readonly Sample[]>;
  /** Waits until the query has an answer. */
  sees(expr: string, deadlineMs?: number, pollMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** What a query costs Prometheus. */
export interface QueryCost {
  readonly series: number;
  /** Samples that it holds at one time: what `--query.max-samples` limits. */
  readonly peakSamples: number;
  /** Samples that it reads. */
  readonly readSamples: number;
}

interface PrometheusOptions {
  /** Of a Prometheus that has a past in `data`; it goes with it. @defaultValue a new one */
  readonly folder?: string;
  readonly flags?: readonly string[];
  /** Beside the pages: scrape configurations as Prometheus reads them. */
  readonly scrapes?: readonly object[];
}

/** An empty folder for a Prometheus. */
export function prometheusFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'layercache-prometheus-'));
}

/** Debian's Prometheus on loopback; scrapes each second. */
export async function startPrometheus(
  targets: readonly ScrapeTarget[],
  rules: object,
  options: PrometheusOptions = {},
): Promise<Prometheus> {
  const folder = options.folder ?? (await prometheusFolder());
  const [port] = await freePorts(1);
  await writeFile(join(folder, 'rules.json'), JSON.stringify(rules));
  await writeFile(
    join(folder, 'prometheus.json'),
    JSON.stringify(configuration(targets, options.scrapes)),
  );
  const child = spawn(
    // A run that is killed takes it along.
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', '--', 'prometheus'],
      `--config.file=${join(folder, 'prometheus.json')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port!}`,
      '--log.level=warn',
      ...(options.flags ?? []),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${said}`);
      const { status } = await send(port!, '/-/ready');
      if (status !== 200) throw new Error(`prometheus is not ready: ${said}`);
    }, 30_000);
    return { ...createQueries(port!), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function configuration(targets: readonly ScrapeTarget[], others: readonly object[] = []): object {
  const jobs = [...new Set(targets.map(({ job }) => job))];
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.json'],
    scrape_configs: [
      ...others,
      ...jobs.map((job) => ({
        job_name: job,
        honor_labels: job === 'dcgm-exporter',
        static_configs: targets
          .filter((target) => target.job === job)
          .map(({ port, labels }) => ({ targets: [`127.0.0.1:${port}`], labels })),
      })),
    ],
  };
}

interface Answer {
  readonly status: 'success' | 'error';
  readonly error?: string;
  readonly data: unknown;
}

function createQueries(port: number): Omit<Prometheus, 'close'> {
  async function ask(path: string, query: Readonly<Record<string, string>>): Promise<unknown> {
    const { body } = await send(port, `${path}?${new URLSearchParams(query).toString()}`);
    const { status, error, data } = JSON.parse(body.toString()) as Answer;
    if (status !== 'success') throw new Error(`${String(error)} in ${JSON.stringify(query)}`);
    return data;
  }
  const askRange = (expr: string, { from, to, step }: Range, more = {}): Promise<unknown> => {
    const query = { query: expr, start: String(from), end: String(to), step: String(step) };
    return ask('/api/v1/query_range', { ...query, ...more });
  };
  return {
    range: async (expr, from, to) =>
      toSamples(await askRange(expr, { from, to, step: STEP_SECONDS })),
    cost: async (expr, range) => {
      const data = await askRange(expr, range, { stats: 'all' });
      const { peakSamples, totalQueryableSamples } = (data as Costed).stats.samples;
      return {
        series: toSamples(data).length,
        ...{ peakSamples, readSamples: totalQueryableSamples },
      };
    },
    at: async (expr, seconds) =>
      toSamples(await ask('/api/v1/query', { query: expr, time: String(seconds) })),
    labelValues: async (match, label) =>
      (await ask(`/api/v1/label/${label}/values`, { 'match[]': match })) as readonly string[],
    sees: async (expr, deadlineMs = 30_000, pollMs = 0) => {
      await eventually(async () => {
        await wait(pollMs);
        const { result } = (await ask('/api/v1/query', { query: expr })) as { result: unknown[] };
        if (result.length === 0) throw new Error(`no answer yet: ${expr}`);
      }, deadlineMs);
    },
  };
}

interface Costed {
  readonly stats: {
    readonly samples: { readonly peakSamples: number; readonly totalQueryableSamples: number };
  };
}

interface Result {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    /** Of a range; `value` of one time. */
    readonly values?: readonly (readonly [number, string])[];
    readonly value?: readonly [number, string];
  }[];
}

function toSamples(data: unknown): readonly Sample[] {
  return (data as Result).result.map(({ metric, value, values = [value!] }) => ({
    metric,
    values: values.map(([at, text]) => [at, toNumber(text)] as const),
  }));
}

/** `+Inf` and `-Inf` as Prometheus writes them. */
function toNumber(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}
