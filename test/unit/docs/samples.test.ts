import { readdirSync, readFileSync } from 'node:fs';
import { LuaFactory } from 'wasmoon';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { FAMILIES } from '../../../charts/generate/queries/families.ts';
import type { MetricFamily } from '../../../crds/metrics/catalogue.ts';
import { promtoolMissing, testRules } from '../../support/promtool.ts';
import { selectorsOf, syntaxFaults } from '../boards/promql.ts';
import { textOf } from './documents.ts';

const FOLDER = 'crds/samples';

const FILES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.(yaml|lua)$/.test(file),
);

test('the list of samples has each of them, and no other', () => {
  const listed = [
    ...textOf(`${FOLDER}/README.md`).matchAll(/\]\(([\w-][\w/.-]*\.(?:yaml|lua))\)/g),
  ];
  expect(listed.map(([, file]) => file).sort()).toEqual([...FILES].sort());
});

test('each sample begins with a comment that says what it is for', () => {
  for (const file of FILES) expect(textOf(`${FOLDER}/${file}`), file).toMatch(/^(#|--) \S.{20,}/);
});

describe('the health check for Argo CD', () => {
  const script = readFileSync(`${FOLDER}/argocd/health.lua`, 'utf8');

  async function healthOf(status: object | undefined, generation = 2): Promise<unknown> {
    const lua = await new LuaFactory().createEngine({ openStandardLibs: true });
    try {
      const value = { metadata: { generation }, status };
      await lua.doString(`obj = ${toLua(value)}`);
      return await lua.doString(script);
    } finally {
      lua.global.close();
    }
  }

  const seen = { observedGeneration: 2 };
  const ready = (status: string, reason: string) => ({
    ...{ type: 'Ready', status, reason, message: 'Why.' },
  });

  test.each([
    ['nothing is said yet', undefined],
    ['only the default of the definition stands there', { observedGeneration: -1 }],
    [
      'what is said is about an older generation',
      { observedGeneration: 1, conditions: [ready('True', 'Serving')] },
    ],
    ['there is no condition Ready', { ...seen, conditions: [{ type: 'Valid', status: 'True' }] }],
    ['pods start', { ...seen, conditions: [ready('False', 'Starting')] }],
    ['pods roll and old ones answer', { ...seen, conditions: [ready('Unknown', 'Updating')] }],
    ['pods roll and none answers', { ...seen, conditions: [ready('False', 'Updating')] }],
  ])('waits while %s', async (_, status) => {
    expect(await healthOf(status)).toMatchObject({ status: 'Progressing' });
  });

  test('says Healthy, Suspended or Degraded with reason and message of condition Ready', async () => {
    const of = (status: string, reason: string) =>
      healthOf({ ...seen, conditions: [ready(status, reason)] });
    expect(await of('True', 'Serving')).toEqual({ status: 'Healthy', message: 'Serving: Why.' });
    expect(await of('False', 'Suspended')).toMatchObject({ status: 'Suspended' });
    expect(await of('False', 'ScaledToZero')).toMatchObject({ status: 'Suspended' });
    expect(await of('False', 'ImagePullFailed')).toEqual({
      status: 'Degraded',
      message: 'ImagePullFailed: Why.',
    });
  });

  test('says Degraded once the object will not get on by itself, whatever Ready says', async () => {
    const stalled = { ...ready('True', 'InvalidSpec'), type: 'Stalled' };
    expect(
      await healthOf({ ...seen, conditions: [ready('True', 'Serving'), stalled] }),
    ).toMatchObject({ status: 'Degraded', message: 'InvalidSpec: Why.' });
  });
});

interface AdapterValues {
  readonly rules: {
    readonly custom: readonly {
      readonly seriesQuery: string;
      readonly name: { readonly matches: string; readonly as: string };
      readonly metricsQuery: string;
    }[];
  };
}
interface Autoscaled {
  readonly spec: {
    readonly autoscaling: {
      readonly metrics: readonly {
        readonly pods: { readonly metric: { readonly name: string } };
      }[];
    };
  };
}
const { rules } = parse(textOf(`${FOLDER}/prometheus-adapter/values.yaml`)) as AdapterValues;
const rule = rules.custom[0]!;
/** As the adapter fills it in, for two pods. */
const query = rule.metricsQuery
  .replaceAll('<<.GroupBy>>', 'pod')
  .replaceAll('<<.Series>>', 'layercache_queue_duration_seconds_bucket')
  .replaceAll('<<.LabelMatchers>>', 'namespace="ml",pod=~"busy|calm"');

describe('the rule of the metrics adapter', () => {
  test('names the metric that the sample scales by', () => {
    const { spec } = parse(textOf(`${FOLDER}/queue-autoscaled.yaml`)) as Autoscaled;
    expect(spec.autoscaling.metrics.map(({ pods }) => pods.metric.name)).toEqual([rule.name.as]);
  });

  test('is a query over a histogram of the catalogue', () => {
    for (const expr of [query, rule.seriesQuery]) expect(syntaxFaults(expr)).toEqual([]);
    const [metric] = selectorsOf(rule.seriesQuery).map((selector) => selector.metric);
    expect(metric).toMatch(new RegExp(rule.name.matches));
    const families: readonly MetricFamily[] = Object.values(FAMILIES);
    expect(families.find(({ name }) => `${name}_bucket` === metric)).toMatchObject({
      type: 'histogram',
    });
  });
});

describe.skipIf(promtoolMissing !== null)(
  'the rule of the metrics adapter, asked of Prometheus',
  () => {
    test('tells the wait of nine rows of ten, of each pod by itself', () => {
      const series = (pod: string, le: string, values: string) => ({
        series: `layercache_queue_duration_seconds_bucket{namespace="ml",pod="${pod}",le="${le}"}`,
        values,
      });
      const steady = '0+10x10';
      const input_series = [
        // All between 25 and 50 ms, and all below 25 ms.
        ...[series('busy', '0.025', '0x10'), series('busy', '0.05', steady)],
        ...[series('calm', '0.025', steady), series('calm', '0.05', steady)],
        ...[series('busy', '+Inf', steady), series('calm', '+Inf', steady)],
      ];
      const isNear = (pod: string, seconds: number) => ({
        expr: `abs(queue_p90{pod="${pod}"} - ${seconds}) < bool 1e-9`,
        eval_time: '5m',
        exp_samples: [{ labels: `{pod="${pod}"}`, value: 1 }],
      });
      const rules = {
        groups: [{ name: 'adapter', rules: [{ record: 'queue_p90', expr: query }] }],
      };
      const promql_expr_test = [isNear('busy', 0.0475), isNear('calm', 0.0225)];
      const tests = [{ interval: '30s', input_series, promql_expr_test }];
      const { status, report } = testRules({ adapter: { rules, tests } });
      expect(status, report).toBe(0);
    });
  },
);

/** A value of JSON as Lua writes it. */
function toLua(value: unknown): string {
  if (value === undefined || value === null) return 'nil';
  if (Array.isArray(value)) return `{${(value as readonly unknown[]).map(toLua).join(', ')}}`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([key, one]) => `[${JSON.stringify(key)}] = ${toLua(one)}`,
  );
  return `{${fields.join(', ')}}`;
}
