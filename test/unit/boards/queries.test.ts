import { expect, test } from 'vitest';
import { target } from '../../../charts/generate/dashboards/panel.ts';
import {
  NO_SCOPE,
  aggregate,
  formula,
  quantile,
  rate,
  ratio,
  seriesIn,
  sum,
} from '../../../charts/generate/queries/query.ts';

const { gauge, counter, histogram } = seriesIn(NO_SCOPE);

test('a query names the metric of the catalogue, its matchers, and the scope of who writes it', () => {
  const scoped = seriesIn({ ...NO_SCOPE, server: 'pod=~"$pod"', service: 'model=~"$model"' });
  expect(scoped.gauge('ready').text).toBe('layercache_ready{pod=~"$pod"}');
  expect(scoped.counter('audits', { exit: { not: 'backbone' }, result: 'agree' }).selector).toBe(
    'layercache_audits_total{pod=~"$pod",exit!="backbone",result="agree"}',
  );
  expect(scoped.gauge('serviceBudget').text).toBe(
    'layercache_service_budget_ratio{model=~"$model"}',
  );
  expect(scoped.gauge('leader').text).toBe('leader_election_master_status');
});

test('of families that other programs write too, only series of pods that are meant are taken', () => {
  const ours = seriesIn(NO_SCOPE, 'meant');
  expect(rate(ours.counter('reconciles'), '5m').text).toBe(
    'rate(controller_runtime_reconcile_total[5m]) and on (namespace, pod) meant',
  );
  expect(ours.gauge('leader').text).toBe(
    'leader_election_master_status and on (namespace, pod) meant',
  );
  expect(quantile(0.5, ours.histogram('reconcileTime'), [], '5m').text).toMatch(
    /_bucket\[5m\]\) and on \(namespace, pod\) meant\)\)$/,
  );
  expect(ours.gauge('ready').text).toBe('layercache_ready');
});

test('parts of a formula and of a share keep their meaning whatever they are made of', () => {
  const total = sum(rate(counter('rows'), '5m'));
  const difference = formula`${total} - ${total}`;
  expect(formula`${difference} * ${2}`.text).toBe(`(${difference.text}) * 2`);
  expect(ratio(difference, total).text).toBe(`(${difference.text}) / ((${total.text}) > 0)`);
});

/** Never called: the compiler refuses a build in which one of these lines is right. */
function refused(): unknown[] {
  const rows = counter('rows');
  return [
    // @ts-expect-error a counter is no gauge
    gauge('rows'),
    // @ts-expect-error there is no such family
    counter('rowz'),
    // @ts-expect-error it has no such label
    counter('rows', { exits: 'early' }),
    // @ts-expect-error the label has no such value
    counter('audits', { result: 'agreed' }),
    // @ts-expect-error it has no label to sum by
    sum(rate(rows), ['kind']),
    // @ts-expect-error the sum has no such label any more
    aggregate('max', sum(rate(rows), ['exit']), ['track']),
    // @ts-expect-error nor has a quantile
    quantile(0.5, histogram('queueDuration'), ['exit']),
    // @ts-expect-error a legend names what its query has
    target(sum(rate(rows), ['exit']), '{{track}}'),
    // @ts-expect-error a counter is never shown raw
    sum(rows),
  ];
}

test('a metric, label, value or legend that does not exist does not compile', () => {
  expect(refused).toBeInstanceOf(Function);
});
