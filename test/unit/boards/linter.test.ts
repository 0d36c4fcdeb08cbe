import { describe, expect, test } from 'vitest';
import { BOARDS } from '../../../charts/generate/dashboards/boards.ts';
import { readBoard, type Built } from './built-board.ts';
import { LINT_RULES } from './linter-rules.ts';

interface Exception {
  readonly rule: string;
  /** Of the complaint. */
  readonly what: RegExp;
  readonly why: string;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    rule: 'template-instance-rule',
    what: /^no variable instance$/,
    why: 'people know pods by name: variable pod takes the place of an address and a port',
  },
  {
    rule: 'target-instance-rule',
    what: /./,
    why: 'the same: series are narrowed by pod',
  },
  {
    rule: 'panel-units-rule',
    what: /^(Rows|Rows by exit|Audits|Passes|Writes by result|Pulls of evidence|Engine time, spent and avoided)$/,
    why: 'rows, events and seconds a second have a unit of ours, as the suffix that Grafana takes',
  },
  {
    rule: 'target-rate-interval-rule',
    what: /^(Disagreement with the backbone|Policies, heads and fetches|Time of rollouts and trainings|Spread of a policy): layercache_/,
    why: 'of events that are rare: the last hour, as the description says',
  },
  {
    rule: 'target-job-rule',
    what: /: (layercache_(service|rollout|training|policy_propagation|certificates|alarms|policy_publishes)\w*|ALERTS|DCGM_FI_DEV_\w+)$/,
    why: 'the operator, Prometheus and the GPU exporter have jobs of their own on a board about model servers',
  },
];

const isExcused = (rule: string, fault: string): boolean =>
  EXCEPTIONS.some((exception) => exception.rule === rule && exception.what.test(fault));

describe.each(BOARDS)('$uid', (board) => {
  test.each(LINT_RULES)('keeps $name, but for what is excused', ({ name, faults }) => {
    expect(faults(readBoard(board)).filter((fault) => !isExcused(name, fault))).toEqual([]);
  });
});

test('the fifteen rules of the linter for Prometheus are there, each once', () => {
  expect(new Set(LINT_RULES.map(({ name }) => name)).size).toBe(15);
});

test.each(EXCEPTIONS)('$rule: $why', ({ rule, what }) => {
  const { faults } = LINT_RULES.find(({ name }) => name === rule)!;
  const complaints = BOARDS.flatMap((board) => faults(readBoard(board)));
  expect(complaints.filter((complaint) => what.test(complaint)).length).toBeGreaterThan(0);
});

/** A board in which everything is wrong that a rule looks at. */
const BAD: Built = {
  ...{
    uid: 'bad',
    title: 'Bad',
    schemaVersion: 42,
    editable: true,
    refresh: '',
    time: { from: '' },
  },
  templating: {
    list: [{ name: 'pod', type: 'query', query: 'label_values(up{, pod)', refresh: 1 }],
  },
  panels: [
    {
      ...{ id: 1, type: 'timeseries', title: '', gridPos: { x: 0, y: 0, w: 1, h: 1 } },
      targets: [
        { expr: 'sum(rate(a_total[5m]))', legendFormat: '' },
        { expr: 'b_total', legendFormat: '' },
        { expr: 'sum(', legendFormat: '' },
      ],
    },
    { id: 2, type: 'stat', title: 'No query', gridPos: { x: 0, y: 0, w: 1, h: 1 } },
  ],
};

test.each(LINT_RULES)('$name complains about a board without all that', ({ faults }) => {
  expect(faults(BAD).length).toBeGreaterThan(0);
});
