import { expect, onTestFinished, test } from 'vitest';
import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import { ERRORS } from '../../../server/errors.ts';
import { createMetricRegistry } from '../../../server/metrics.ts';
import { createServerMetrics } from '../../../server/server-metrics.ts';
import { fillToTheBrim } from '../../support/full-metrics.ts';
import { parseMetricPage, type MetricPage } from '../../support/metric-page.ts';
import { lintMetrics, promtoolMissing } from '../../support/promtool.ts';
import {
  EASY,
  HARD,
  MODEL,
  aCandidate,
  aPolicy,
  aTrack,
  fakeBundle,
  send,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';

const CEILING = 2_000;

/** A server whose metrics are counted from nothing. */
async function start(): Promise<{ server: TestServer; page: () => Promise<MetricPage> }> {
  const metrics = createServerMetrics(createMetricRegistry(MODEL), '0.1.0');
  const server = await startTestServer({ metrics });
  onTestFinished(() => server.close());
  const page = async (): Promise<MetricPage> =>
    parseMetricPage((await send(server.metrics, '/metrics')).body.toString());
  return { server, page };
}

/** Heads under other names than the usual ones. */
function renamed(mark: number, names: readonly [string, string]): HeadBundle {
  const bundle = fakeBundle(mark);
  return {
    ...bundle,
    heads: bundle.heads.map((head, i) => ({ ...head, exit: names[i]! })),
    training: {
      ...bundle.training,
      exits: bundle.training.exits.map((exit, i) => ({ ...exit, exit: names[i]! })),
    },
  };
}

const ours = ({ series }: MetricPage): string[] =>
  [...series.keys()].filter((key) => key.startsWith('layercache_'));

test('what is known beforehand starts at 0: refusals by code, rows of the backbone, and the exits of new heads', async () => {
  const { server, page } = await start();
  const atStart = (await page()).series;
  for (const code of ['ok', ...Object.keys(ERRORS)]) {
    for (const protocol of ['v1', 'v2']) {
      const key = `layercache_requests_total{protocol="${protocol}",code="${code}",model="digits"}`;
      expect(atStart.get(key), key).toBe(0);
    }
  }
  expect(atStart.get('layercache_rows_total{exit="backbone",track="stable",model="digits"}')).toBe(
    0,
  );
  const stable = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ stable: aTrack(stable) }));
  const { series } = await page();
  for (const exit of ['early', 'late']) {
    for (const track of ['stable', 'candidate']) {
      const key = `layercache_rows_total{exit="${exit}",track="${track}",model="digits"}`;
      expect(series.get(key), key).toBe(0);
    }
  }
});

test('however often heads are replaced, the page tells of those in force alone', async () => {
  const { server, page } = await start();
  const sizes: number[] = [];
  for (let swap = 1; swap <= 25; swap++) {
    const names = [`first-${swap}`, `second-${swap}`] as const;
    const stable = await server.push(renamed(1 + swap, names));
    const exits = names.map((name, i) => ({
      name,
      tensor: i === 0 ? 'cut_a' : 'cut_b',
      mode: 'Active' as const,
    }));
    const track = aTrack(stable, { activeExits: names });
    const applied = await server.apply(
      aPolicy({ revision: swap, exits, stable: track, auditRate: 1 }),
    );
    expect(applied).toMatchObject({ result: 'Applied', reason: '' });
    await server.ask([EASY]);
    await server.ask([HARD]);
    // The page after a swap still has what the former exits counted last.
    const [first, second] = [await page(), await page()];
    const former = ours(first).filter((key) => key.includes(`"first-${swap - 1}"`));
    expect(former.length > 0).toBe(swap > 1);
    const names_ = ours(second).flatMap((key) => /exit="([^"]*)"/.exec(key)?.[1] ?? []);
    expect(new Set(names_)).toEqual(new Set(['backbone', ...names]));
    const revisions = ours(second).filter((key) => key.includes('head_revision='));
    expect(revisions).toHaveLength(1);
    expect(revisions[0]).toContain(stable);
    sizes.push(ours(second).length);
  }
  expect(new Set(sizes.slice(1)).size).toBe(1);
});

test('a candidate that is withdrawn leaves with its head revision, and exits of both tracks share their names', async () => {
  const { server, page } = await start();
  const stable = await server.push(fakeBundle(2));
  const other = await server.push(fakeBundle(3));
  await server.apply(aPolicy({ stable: aTrack(stable), candidate: aCandidate(other, 1) }));
  await server.ask([EASY]);
  const both = await page();
  expect(both.of('layercache_head_info')).toHaveLength(2);
  expect(
    both.series.get('layercache_rows_total{exit="early",track="candidate",model="digits"}'),
  ).toBe(1);
  await server.apply(aPolicy({ revision: 2, stable: aTrack(stable) }));
  await page();
  expect((await page()).of('layercache_head_info')).toHaveLength(1);
});

test('audits are behind while their rows run on, and how long is told', async () => {
  const { server, page } = await start();
  const stable = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ stable: aTrack(stable), auditRate: 1 }));
  await server.ask([EASY]);
  await server.ask([HARD]);
  const { series } = await page();
  expect(series.get('layercache_audit_backlog_rows{model="digits"}')).toBe(0);
  // The row that left early alone: the other was answered by what the audit waits for.
  expect(series.get('layercache_audit_delay_seconds_count{model="digits"}')).toBe(1);
  expect(series.get('layercache_evidence_last_read_timestamp_seconds{model="digits"}')).toBe(0);
  await server.evidence();
  const read = (await page()).series.get(
    'layercache_evidence_last_read_timestamp_seconds{model="digits"}',
  );
  expect(read).toBeGreaterThan(1_600_000_000);
});

async function fullPage(): Promise<string> {
  const registry = createMetricRegistry(MODEL);
  createServerMetrics(registry, '0.1.0');
  fillToTheBrim(registry);
  return (await registry.render()).text;
}

test('the worst legal configuration, 16 exits on both tracks and every refusal, stays under 2,000 series', async () => {
  const { series } = parseMetricPage(await fullPage());
  const told = new Set([...series.keys()].map((key) => /exit="(exit-\d+)/.exec(key)?.[1]));
  told.delete(undefined);
  expect(told.size).toBe(16);
  // Node's own histogram of collections has 4 kinds of at most 12 series, and they may not have happened yet.
  const collections = [...series.keys()].filter((key) => key.startsWith('nodejs_gc_')).length;
  expect(series.size - collections + 48).toBeLessThanOrEqual(CEILING);
});

test.skipIf(promtoolMissing !== null)('and its page passes promtool check metrics', async () => {
  expect(lintMetrics(await fullPage())).toEqual([]);
});
