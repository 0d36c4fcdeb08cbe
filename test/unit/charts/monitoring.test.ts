import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { CHART, only, render, renderObjects, type ChartObject } from './helm.ts';
import { MONITORING } from './scenarios.ts';

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

const SHIPPED = parse(readFileSync(`${CHART}/files/alerts/rules.yaml`, 'utf8')) as RuleFile;

async function rulesWith(alerts: object): Promise<RuleFile> {
  const values = { alerts: { enabled: true, ...alerts } };
  return only(await renderObjects({ values, apiVersions: MONITORING }), 'PrometheusRule')
    .spec as RuleFile;
}

const flat = ({ groups }: RuleFile): readonly Rule[] => groups.flatMap(({ rules }) => rules);

const [FIRST = { alert: '', expr: '' }] = flat(SHIPPED).filter(({ alert }) => alert !== undefined);
const NAME = String(FIRST.alert);

test('the rules that promtool has checked are what a cluster gets', async () => {
  expect((await rulesWith({})).groups).toEqual(
    SHIPPED.groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) =>
        rule.alert === undefined ? rule : { ...rule, labels: rule.labels ?? {} },
      ),
    })),
  );
});

test.each([NAME, NAME.replace('Layercache', '')])('alert %s can be left out', async (name) => {
  const rules = flat(await rulesWith({ disabled: { [name]: true } }));
  expect(rules.map(({ alert }) => alert)).not.toContain(NAME);
  expect(rules).toHaveLength(flat(SHIPPED).length - 1);
  expect(flat(await rulesWith({ disabled: { [name]: false } }))).toHaveLength(rules.length + 1);
});

test('labels for routing are on every alert, and links lead to where runbooks and boards are read', async () => {
  const rules = flat(
    await rulesWith({
      alertLabels: { team: 'ml' },
      runbookBaseUrl: 'https://wiki.example.com/lc/',
      dashboardBaseUrl: 'https://grafana.example.com/',
    }),
  ).filter(({ alert }) => alert !== undefined);
  expect(rules.length).toBeGreaterThan(20);
  for (const { labels, annotations } of rules) {
    expect(labels).toMatchObject({ team: 'ml', severity: expect.any(String) as string });
    expect(annotations?.runbook_url).toMatch(/^https:\/\/wiki\.example\.com\/lc\/\w+\.md$/);
    expect(annotations?.dashboard_url).toMatch(/^https:\/\/grafana\.example\.com\/d\/layercache-/);
  }
});

test.each([0.25, '0.25'])('threshold %s replaces what its recording rule says', async (value) => {
  const [threshold] = flat(SHIPPED).filter((rule) =>
    rule.record?.startsWith('layercache:threshold:'),
  );
  const name = String(threshold?.record).replace('layercache:threshold:', '');
  const rules = flat(await rulesWith({ thresholds: { [name]: value } }));
  expect(rules.find(({ record }) => record === threshold?.record)?.expr).toBe('vector(0.25)');
});

test('without the kinds of monitoring nothing of them is made', async () => {
  const values = {
    alerts: { enabled: true },
    metrics: { serviceMonitor: { enabled: true } },
    dashboards: { enabled: true, grafanaOperator: { enabled: true } },
  };
  const kinds = (await renderObjects({ values })).map(({ kind }) => kind);
  expect(kinds.filter((kind) => /Monitor|Prometheus|Grafana/.test(kind))).toEqual([]);
  expect(kinds).toContain('ConfigMap');
});

test('each dashboard is a ConfigMap with the file as it was checked, in the folder of Grafana', async () => {
  const values = {
    dashboards: {
      enabled: true,
      namespace: 'grafana',
      folder: 'Models',
      grafanaOperator: { enabled: true },
    },
  };
  const objects = await renderObjects({ values, apiVersions: MONITORING });
  const maps = objects.filter(({ kind }) => kind === 'ConfigMap');
  expect(maps.length).toBeGreaterThan(3);
  for (const map of maps) {
    const [[file, text] = ['', '']] = Object.entries(map.data as Record<string, string>);
    expect(text).toBe(readFileSync(`${CHART}/files/dashboards/${file}`, 'utf8'));
    expect(map.metadata).toMatchObject({
      namespace: 'grafana',
      labels: { grafana_dashboard: '1' },
      annotations: { grafana_folder: 'Models' },
    });
    expect(grafanaOf(objects, map)).toMatchObject({
      folder: 'Models',
      instanceSelector: { matchLabels: { dashboards: 'grafana' } },
      configMapRef: { name: map.metadata.name, key: file },
    });
  }
});

function grafanaOf(objects: readonly ChartObject[], { metadata }: ChartObject): unknown {
  return only(objects, 'GrafanaDashboard', metadata.name).spec;
}

test('model pods are scraped in the namespaces that are watched', async () => {
  const models = async (values: object): Promise<unknown> => {
    const metrics = { podMonitor: { enabled: true } };
    const objects = await renderObjects({
      values: { metrics, ...values },
      apiVersions: MONITORING,
    });
    const { spec } = only(objects, 'PodMonitor', 'demo-layercache-models');
    return (spec as { namespaceSelector: unknown }).namespaceSelector;
  };
  expect(await models({})).toEqual({ any: true });
  expect(await models({ watchNamespaces: { ml: true } })).toEqual({ matchNames: ['ml'] });
});

test('a threshold that is no number is refused', async () => {
  const rendered = await render({ values: { alerts: { thresholds: { x: 'many' } } } });
  expect(rendered.ok).toBe(false);
});
