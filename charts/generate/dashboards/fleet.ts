import { EXIT_COSTS, exitRows } from '../queries/exit-figures.ts';
import { OBJECT, SERVICE } from '../queries/label-sets.ts';
import {
  age,
  aggregate,
  asServerLabels,
  formula,
  increase,
  orNone,
  orZero,
  quantile,
  rate,
  ratio,
  sum,
  top,
} from '../queries/query.ts';
import { exitShare, netSaving, overBudget, unmeasured } from './figures.ts';
import { after, target, type Board, type Panel, type Row, type TablePanel } from './panel.ts';
import { SERVICE_ANNOTATIONS, SERVICE_VARIABLES, ofServices } from './scopes.ts';

const { gauge, counter, histogram } = ofServices;

const rows = rate(counter('rows'));
const early = exitRows(ofServices);
const avoided = orNone(sum(rate(counter('computeAvoided'))), sum(rows));
const spent = rate(counter('computeSeconds', { kind: { oneOf: EXIT_COSTS } }));
const segments = rate(counter('computeSeconds', { kind: 'segment' }));

const now: Row = {
  title: 'Now',
  panels: [
    {
      kind: 'Stat',
      title: 'Pods ready',
      description: 'Model server pods that take requests.',
      unit: 'short',
      width: 4,
      targets: [target(sum(gauge('ready')), 'ready')],
    },
    {
      kind: 'Stat',
      title: 'Rows',
      description: 'Rows answered each second, over all services.',
      unit: 'suffix: rows/s',
      width: 4,
      targets: [target(sum(rows), 'rows')],
    },
    {
      kind: 'Stat',
      title: 'Exit share',
      description: 'Share of the rows that an exit answered.',
      unit: 'percentunit',
      width: 4,
      targets: [target(ratio(orNone(sum(rate(early)), sum(rows)), sum(rows)), 'exits')],
    },
    {
      kind: 'Stat',
      title: 'Net saving',
      description:
        'Engine time that exits saved less what heads, audits and compaction cost, of what backbones alone would have taken.',
      unit: 'percentunit',
      isSigned: true,
      width: 4,
      targets: [
        target(
          ratio(formula`${avoided} - ${sum(spent)}`, formula`${avoided} + ${sum(segments)}`),
          'net',
        ),
      ],
    },
    {
      kind: 'Stat',
      title: 'Over budget',
      description: 'Services whose audited disagreement or F1 loss is above their budget.',
      unit: 'short',
      isBadAboveZero: true,
      width: 4,
      targets: [target(orZero(aggregate('count', overBudget(ofServices))), 'services')],
    },
    {
      kind: 'Stat',
      title: 'Unmeasured',
      description: 'Services with exits on and fewer than 30 audited rows behind their figures.',
      unit: 'short',
      isBadAboveZero: true,
      width: 4,
      targets: [target(orZero(aggregate('count', unmeasured(ofServices))), 'services')],
    },
  ],
};

const upper = aggregate('max', gauge('serviceDisagreement', { bound: 'upper' }), OBJECT);
const budget = aggregate('max', gauge('serviceBudget'), OBJECT);
const state = gauge('serviceState');

const table: TablePanel = {
  kind: 'Table',
  title: 'Services',
  description:
    'One line for each service. Bound / budget: the upper confidence bound of the disagreement or F1 loss over the budget; at most 100 % is within it.',
  unit: 'short',
  width: 24,
  columns: [
    null,
    { title: 'Rows', unit: 'suffix: rows/s' },
    { title: 'p50', unit: 's' },
    { title: 'p99', unit: 's' },
    { title: 'Exit share', unit: 'percentunit' },
    { title: 'Net saving', unit: 'percentunit' },
    { title: 'Bound / budget', unit: 'percentunit' },
    { title: 'Candidate share', unit: 'percentunit' },
    { title: 'Policy age', unit: 's' },
  ],
  isSigned: true,
  mayExceedWhole: true,
  targets: [
    target(
      asServerLabels({ text: `${state.text} == 1`, labels: state.labels }, ['state']),
      '{{namespace}}/{{model}} {{state}}',
    ),
    target(sum(rate(counter('rows')), SERVICE), '{{namespace}}/{{model}}'),
    target(quantile(0.5, histogram('requestDuration'), SERVICE), '{{namespace}}/{{model}}'),
    target(quantile(0.99, histogram('requestDuration'), SERVICE), '{{namespace}}/{{model}}'),
    target(exitShare(ofServices), '{{namespace}}/{{model}}'),
    target(netSaving(ofServices), '{{namespace}}/{{model}}'),
    after(
      'Violation',
      target(asServerLabels(formula`${upper} / ${budget}`), '{{namespace}}/{{model}}'),
    ),
    target(
      asServerLabels(aggregate('max', gauge('serviceCandidateShare'), OBJECT)),
      '{{namespace}}/{{model}}',
    ),
    target(age(aggregate('max', gauge('policyApplied'), SERVICE)), '{{namespace}}/{{model}}'),
  ],
};

const TOP = 10;
const topPanels: readonly Panel[] = [
  {
    kind: 'Time',
    title: 'Slowest services',
    description: 'p99 of the time from received to last byte; the ten largest.',
    unit: 's',
    width: 12,
    targets: [
      target(
        top(TOP, quantile(0.99, histogram('requestDuration'), SERVICE)),
        '{{namespace}}/{{model}}',
      ),
    ],
  },
  {
    kind: 'Time',
    title: 'Use of the budget',
    description: 'Upper bound of the disagreement or F1 loss over the budget; the ten largest.',
    unit: 'percentunit',
    mayExceedWhole: true,
    width: 12,
    scenario: 'Violation',
    targets: [
      target(top(TOP, asServerLabels(formula`${upper} / ${budget}`)), '{{namespace}}/{{model}}'),
    ],
  },
  {
    kind: 'Time',
    title: 'Refusals',
    description:
      'Requests that were answered with another code than ok; the ten services with most.',
    unit: 'reqps',
    width: 12,
    targets: [
      target(
        top(TOP, sum(rate(counter('requests', { code: { not: 'ok' } })), SERVICE)),
        '{{namespace}}/{{model}}',
      ),
    ],
  },
  {
    kind: 'Time',
    title: 'Restarts of engines',
    description: 'Engine hosts that ended and were started again; the ten services with most.',
    unit: 'short',
    width: 12,
    targets: [
      target(
        top(TOP, sum(increase(counter('engineRestarts')), SERVICE)),
        '{{namespace}}/{{model}}',
      ),
    ],
  },
];

const alerts: Row = {
  title: 'Alerts',
  panels: [
    {
      kind: 'Timeline',
      title: 'Alerts that fire',
      description: 'Empty while all is well, or while the chart value alerts.enabled is off.',
      unit: 'bool',
      isBad: true,
      width: 24,
      scenario: 'Alerts',
      targets: [
        target(
          aggregate('max', gauge('alerts', { alertstate: 'firing' }), ['alertname']),
          '{{alertname}}',
        ),
      ],
    },
  ],
};

export const FLEET: Board = {
  uid: 'layercache-fleet',
  title: 'Layercache / Fleet',
  description: 'All services at a glance: who answers, what it saves, who is near the budget.',
  variables: SERVICE_VARIABLES,
  annotations: SERVICE_ANNOTATIONS,
  rows: [
    now,
    { title: 'Services', panels: [table] },
    { title: 'Top 10', panels: topPanels },
    alerts,
  ],
};
