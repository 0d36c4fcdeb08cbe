import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { SERVER_METRICS } from '../../../crds/metrics/catalogue.ts';
import { createLoadProgress } from '../../../server/backbone/load-progress.ts';
import { createMetricRegistry } from '../../../server/metrics.ts';
import { createServerMetrics } from '../../../server/server-metrics.ts';
import { RowCode } from '../../support/fake-engine.ts';
import { lintMetrics, promtoolMissing } from '../../support/promtool.ts';
import type { Row, TestServer } from '../../support/test-server.ts';
import {
  EASY,
  HARD,
  MODEL,
  aPolicy,
  aTrack,
  fakeBundle,
  send,
  startTestServer,
} from '../../support/test-server.ts';

const WRONG: Row = [0, 0.99999, 0, RowCode.headsDisagree];

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({
    metrics: createServerMetrics(createMetricRegistry(MODEL), '0.1.0'),
  });
});
afterEach(() => server.close());

async function series(): Promise<Map<string, number>> {
  const answer = await send(server.metrics, '/metrics');
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0.0.4/);
  const lines = answer.body
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('layercache_'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      const name = line
        .slice(0, at)
        .replace('layercache_', '')
        .replace(`,model="${MODEL}"`, '')
        .replace(`model="${MODEL}",`, '')
        .replace(`{model="${MODEL}"}`, '');
      return [name, Number(line.slice(at + 1))];
    }),
  );
}

test('every family of the catalogue is there, closed label sets from 0', async () => {
  const text = (await send(server.metrics, '/metrics')).body.toString();
  for (const { name } of Object.values(SERVER_METRICS)) expect(text).toContain(`# TYPE ${name} `);
  const found = await series();
  expect(found.get('policy_applies_total{path="push",result="applied"}')).toBe(0);
  expect(found.get('exits_switched_off_total{cause="breaker"}')).toBe(0);
  expect(found.get('ready')).toBe(1);
});

test.skipIf(promtoolMissing !== null)('the page passes promtool check metrics', async () => {
  await server.ask([EASY, HARD]);
  expect(lintMetrics((await send(server.metrics, '/metrics')).body.toString())).toEqual([]);
});

test('each attempt to get the backbone counts once, however often the page is read', async () => {
  const progress = createLoadProgress();
  const failure = { code: 'BackboneFetchFailed', message: 'It answered 404.' } as const;
  progress.failed(failure);
  progress.failed(failure);
  const patient = await startTestServer({
    metrics: createServerMetrics(createMetricRegistry(MODEL), '0.1.0'),
    progress,
  });
  onTestFinished(() => patient.close());
  const counts = async () => {
    const page = (await send(patient.metrics, '/metrics')).body.toString();
    return [
      ...page.matchAll(/^layercache_fetches_total\{kind="backbone".*result="(\w+)".*\} (\d+)$/gm),
    ].map(([, result, count]) => `${result!} ${count!}`);
  };
  expect(await counts()).toEqual(['ok 1', 'failed 2']);
  progress.failed(failure);
  await counts();
  expect(await counts()).toEqual(['ok 1', 'failed 3']);
});

test('traffic moves the figures by the right amounts, and they agree with the evidence', async () => {
  const stable = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ stable: aTrack(stable), auditRate: 1 }));
  for (const row of [EASY, EASY, HARD, WRONG]) await server.ask([row]);
  await server.ask([EASY], { parameters: { layercache_mode: 'backbone' } });
  await send(server.data, '/v2/models/other', { method: 'GET' });
  const [window] = (await server.evidence()).windows.slice(-1);
  const found = await series();
  expect(found.get('requests_total{protocol="v2",code="ok"}')).toBe(5);
  expect(found.get('requests_total{protocol="v2",code="model_not_found"}')).toBe(1);
  expect(found.get('rows_total{exit="early",track="stable"}')).toBe(3);
  expect(found.get('rows_total{exit="backbone",track="stable"}')).toBe(2);
  expect(found.get('rows_forced_total{reason="opt_out"}')).toBe(1);
  expect(found.get('head_evaluations_total{exit="early",track="stable"}')).toBe(4);
  expect(found.get('head_evaluations_total{exit="late",track="stable"}')).toBe(1);
  expect(found.get('audits_total{exit="early",track="stable",result="agree"}')).toBe(2);
  expect(found.get('audits_total{exit="early",track="stable",result="disagree"}')).toBe(
    window?.grid.dis[60],
  );
  expect(found.get('audit_loss_rows_total{exit="early",track="stable"}')).toBe(
    window?.grid.dis[60],
  );
  expect(found.get('audits_total{exit="backbone",track="stable",result="agree"}')).toBe(1);
  // While exits are on, one audit in eight is sampled, by chance.
  const { seen } = (await server.state()).samples;
  expect(found.get('samples_total{result="kept"}')).toBe(seen);
  expect(found.get('exit_enabled{exit="early",track="stable"}')).toBe(1);
  expect(found.get('lambda_ratio{track="stable"}')).toBe(0.0073287);
  expect(found.get('budget_ratio')).toBe(0.01);
  expect(found.get('policy_revision')).toBe(1);
  expect(found.get('request_duration_seconds_count{exit="early",track="stable"}')).toBe(3);
  expect(found.get('compute_avoided_seconds_total{exit="early"}')).toBeCloseTo(3 * 0.0007, 9);
  const ofTrack = (kind: string): number | undefined =>
    found.get(`track_seconds_total{track="stable",kind="${kind}"}`);
  expect(ofTrack('backbone')).toBeCloseTo(5 * 0.001, 9);
  expect(ofTrack('avoided')).toBeCloseTo(3 * 0.0007, 9);
  // Four rows reached the first head and one of them the second; the row that opted out reached none.
  expect(ofTrack('head')).toBeCloseTo(5 * 0.00001, 9);
  expect(ofTrack('audit')).toBeCloseTo(3 * 0.0007, 9);
});

test('series of a revision vanish with it, and lambda while exits are off', async () => {
  const stable = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ stable: aTrack(stable) }));
  expect((await series()).get(`head_info{track="stable",head_revision="${stable}"}`)).toBe(1);
  const other = await server.push(fakeBundle(3));
  await server.apply(aPolicy({ revision: 2, stable: aTrack(other), exitsEnabled: false }));
  const found = await series();
  expect(found.has(`head_info{track="stable",head_revision="${stable}"}`)).toBe(false);
  expect(found.get(`head_info{track="stable",head_revision="${other}"}`)).toBe(1);
  expect([...found.keys()].some((name) => name.startsWith('lambda_ratio'))).toBe(false);
  expect(found.get('exits_switched_off_total{cause="policy"}')).toBe(1);
});

test('an engine that dies is counted', async () => {
  server.engine.kill();
  await expect
    .poll(async () => (await series()).get('engine_restarts_total{cause="signal"}'))
    .toBe(1);
});
