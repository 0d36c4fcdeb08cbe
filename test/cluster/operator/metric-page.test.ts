import { beforeAll, describe, expect, test } from 'vitest';
import type { MetricFamily } from '../../../crds/metrics/catalogue.ts';
import { closedSeries } from '../../../crds/metrics/label-types.ts';
import { OPERATOR_METRICS } from '../../../crds/metrics/operator-catalogue.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { parseMetricPage, type MetricPage } from '../../support/metric-page.ts';
import { lintMetrics, promtoolMissing } from '../../support/promtool.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { makeService } from './make-service.ts';
import { runOperator } from './run-operators.ts';

// What a real operator with one service shows: whole, from 0, and as Prometheus wants it.

const plane = await sharedControlPlane();
const families: readonly MetricFamily[] = Object.values(OPERATOR_METRICS);

describe.skipIf(plane.unavailable !== null)('the metrics page of an operator', () => {
  beforeAll(async () => {
    await installDefinitions(plane);
  });

  async function readPage(): Promise<{
    readonly text: string;
    readonly page: MetricPage;
    readonly service: Readonly<Record<string, string>>;
  }> {
    const namespace = (await plane.namespace()).name;
    const operator = await runOperator(plane, namespace, { LAYERCACHE_CONCURRENCY: '7' });
    await operator.says('caches full');
    await makeService(plane, namespace, 'vision');
    return eventually(async () => {
      const { text } = await operator.get('/metrics');
      const page = parseMetricPage(text);
      const labels = `{model_namespace="${namespace}",model="vision"}`;
      expect(page.series.get(`layercache_service_budget_ratio${labels}`)).toBe(0.01);
      return { text, page, service: { model_namespace: namespace, model: 'vision' } };
    });
  }

  test('has every family of the catalogue, closed label sets from 0', async () => {
    const { page, service } = await readPage();
    for (const { name, type, labels } of families) {
      expect(page.types.get(name), name).toBe(type);
      if (type === 'gauge') continue;
      const suffix = type === 'histogram' ? '_count' : '';
      for (const series of closedSeries(labels, 'model' in labels ? service : {})) {
        const pairs = Object.entries(series).map(([label, value]) => `${label}="${value}"`);
        const key = `${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join()}}`}`;
        expect(page.series.has(key), key).toBe(true);
      }
    }
    for (const controller of ['cached-model-service', 'cache-head-revision']) {
      const key = `controller_runtime_max_concurrent_reconciles{controller="${controller}"}`;
      expect(page.series.get(key)).toBe(7);
    }
  });

  test.skipIf(promtoolMissing !== null)('passes promtool check metrics', async () => {
    const { text } = await readPage();
    expect(lintMetrics(text)).toEqual([]);
  });
});
