import { expect, test } from 'vitest';

import {
  LATENCY_BUCKETS,
  SERVER_METRIC_GROUPS,
  SERVER_METRICS,
  type MetricFamily,
} from '../../../../crds/metrics/catalogue.ts';

const families: readonly MetricFamily[] = Object.values(SERVER_METRICS);

test('each family stands in one group, under one name', () => {
  const grouped = Object.values(SERVER_METRIC_GROUPS).flatMap((group) =>
    Object.values<MetricFamily>(group),
  );
  expect(grouped).toEqual(families);
  expect(new Set(families.map((family) => family.name)).size).toBe(families.length);
});

test('names say unit and type as Prometheus wants them', () => {
  for (const { name, type, unit } of families) {
    expect(name).toMatch(/^layercache_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(name.endsWith('_info'), name).toBe(unit === 'info');
    if (unit === 'seconds') expect(name).toMatch(/_seconds(_total)?$/);
    if (unit === 'ratio') expect(name).toMatch(/_ratio$/);
    if (unit === 'bytes') expect(name).toMatch(/_bytes(_total)?$/);
  }
});

test('help is one sentence and labels never repeat the default label', () => {
  for (const { name, help, labels } of families) {
    expect(help, name).toMatch(/^[A-Z0-9].*\.$/);
    expect(Object.keys(labels)).not.toContain('model');
    for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z]+(_[a-z]+)*$/);
  }
});

test('histograms alone have buckets, and they ascend', () => {
  for (const { name, type, buckets } of families) {
    expect(buckets !== undefined, name).toBe(type === 'histogram');
    const sorted = [...(buckets ?? [])].sort((a, b) => a - b);
    expect(buckets ?? []).toEqual(sorted);
  }
  expect(LATENCY_BUCKETS).toHaveLength(12);
});

test('series stay under the ceiling of a pod with 16 exits on both tracks', () => {
  // operations.md 2: 1,570 computed for all families, 2,000 is the ceiling.
  const sizes: Readonly<Record<string, number>> = {
    exit: 17,
    segment: 18,
    model: 1,
    head_revision: 2,
    text: 1,
  };
  const seriesOf = ({ name, labels, buckets }: MetricFamily): number => {
    const combinations = Object.entries(labels).reduce((product, [label, values]) => {
      if (label === 'head_revision') return product;
      if (label === 'code') return product * 15;
      return product * (typeof values === 'string' ? Number(sizes[values]) : values.length);
    }, 1);
    // Answers of the backbone always agree.
    const used = name === 'layercache_audits_total' ? 16 * 2 * 3 + 2 : combinations;
    return used * (buckets === undefined ? 1 : buckets.length + 3);
  };
  const series = families.reduce((sum, family) => sum + seriesOf(family), 0);
  expect(series).toBeLessThan(2000);
});
