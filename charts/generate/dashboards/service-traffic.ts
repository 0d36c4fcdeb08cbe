import { exitRows, NO_BACKBONE } from '../queries/exit-figures.ts';
import { OBJECT } from '../queries/label-sets.ts';
import {
  aggregate,
  buckets,
  formula,
  increase,
  observations,
  overTime,
  quantile,
  rate,
  ratio,
  sum,
} from '../queries/query.ts';
import { agreement, disagreement, netSaving, sinceByPod } from './figures.ts';
import { after, target, type Row } from './panel.ts';
import { ofServices } from './scopes.ts';

// What answers, how fast, and how well: the rows of the service board that are about traffic.

const { gauge, counter, histogram } = ofServices;
const answered = histogram('requestDuration');

export const overview: Row = {
  title: 'Overview',
  panels: [
    {
      kind: 'Time',
      title: 'Rows by exit',
      description: 'Rows answered each second, by what answered; backbone is the whole network.',
      unit: 'suffix: rows/s',
      isStacked: true,
      width: 12,
      targets: [target(sum(rate(counter('rows')), ['exit']), '{{exit}}')],
    },
    {
      kind: 'Time',
      title: 'Answers by code',
      description: 'ok, and each refusal under its code.',
      unit: 'reqps',
      width: 12,
      targets: [target(formula`${sum(rate(counter('requests')), ['code'])} > 0`, '{{code}}')],
    },
    {
      kind: 'Time',
      title: 'Latency by exit',
      description: 'From received to last byte sent, by the deepest exit that the request used.',
      unit: 's',
      width: 8,
      targets: [
        target(quantile(0.5, answered, ['exit']), '{{exit}} p50'),
        target(quantile(0.95, answered, ['exit']), '{{exit}} p95'),
        target(quantile(0.99, answered, ['exit']), '{{exit}} p99'),
      ],
    },
    {
      kind: 'Time',
      title: 'Disagreement with the backbone',
      description:
        'Share of all answers unlike the backbone, or where the budget bounds F1 loss the mean of 1 - F1 over all: audits of the last hour, and the figures that the operator decided with. The bound holds at the confidence of the spec.',
      unit: 'percentunit',
      width: 8,
      scenario: 'Violation',
      targets: [
        target(disagreement(ofServices, '1h'), '{{model}} last hour'),
        target(
          aggregate('max', gauge('serviceDisagreement'), [...OBJECT, 'bound']),
          '{{model}} {{bound}}',
        ),
        target(aggregate('max', gauge('serviceBudget'), OBJECT), '{{model}} budget'),
      ],
    },
    {
      kind: 'Time',
      title: 'Net saving',
      description:
        'Engine time saved less what heads, audits and compaction cost, of what the backbone alone would have taken; now, and as the operator measured it.',
      unit: 'percentunit',
      isSigned: true,
      width: 8,
      targets: [
        target(netSaving(ofServices), '{{model}} now'),
        after(
          'Exits',
          target(aggregate('max', gauge('serviceNetSaving'), OBJECT), '{{model}} measured'),
        ),
      ],
    },
  ],
};

const { kept, audits: audited } = agreement(ofServices, ['exit']);
const rowsOfExits = sum(rate(exitRows(ofServices)), ['exit']);

export const exits: Row = {
  title: 'Exits',
  panels: [
    {
      kind: 'Time',
      title: 'Share by exit',
      description: 'Share of all rows that each exit answered.',
      unit: 'percentunit',
      isStacked: true,
      width: 8,
      scenario: 'Exits',
      targets: [
        target(
          {
            text: `(${rowsOfExits.text}) / scalar(sum(${rate(counter('rows')).text}) > 0)`,
            labels: rowsOfExits.labels,
          },
          '{{exit}}',
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Hit rate',
      description: 'Of the rows that reached a head, the share that left there.',
      unit: 'percentunit',
      width: 8,
      scenario: 'Exits',
      targets: [
        target(
          ratio(rowsOfExits, sum(rate(counter('headEvaluations', NO_BACKBONE)), ['exit'])),
          '{{exit}}',
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Agreement',
      description:
        'Of the audited answers of an exit in the last hour, the share that equals the backbone, or where the budget bounds F1 loss their mean F1; n, on the right, are the audits behind it.',
      unit: 'percentunit',
      width: 8,
      scenario: 'Exits',
      targets: [target(kept, '{{exit}}'), target(audited, '{{exit}} n', 'short')],
    },
    {
      kind: 'Heat',
      title: 'Doubt',
      description:
        '1 - score of audited rows on a scale from 0.0001 to 1: well calibrated heads are in doubt as often as they are wrong.',
      unit: 'suffix: rows/s',
      width: 12,
      scenario: 'Exits',
      targets: [target(buckets(histogram('exitDoubt')), '{{le}}')],
    },
    {
      kind: 'Time',
      title: 'Lambda and switch-offs',
      description:
        'Lambda in force on each track, absent while exits are off; on the right how often exits went off, by cause.',
      unit: 'percentunit',
      width: 12,
      scenario: 'Alarm',
      targets: [
        target(aggregate('max', gauge('lambda'), ['track']), 'lambda {{track}}'),
        target(
          formula`${sum(increase(counter('exitsSwitchedOff')), ['cause'])} > 0`,
          'off: {{cause}}',
          'short',
        ),
      ],
    },
  ],
};

const dropped = sum(rate(counter('auditsDropped')));
const chosen = sum(rate(counter('audits')));

export const audits: Row = {
  title: 'Audits',
  panels: [
    {
      kind: 'Time',
      title: 'Audits',
      description:
        'Rows that were run to the end to be compared, by what came of it, and the rows forced there.',
      unit: 'suffix: rows/s',
      width: 8,
      targets: [
        target(sum(rate(counter('audits')), ['result']), '{{result}}'),
        target(formula`${sum(rate(counter('rowsForced')), ['reason'])} > 0`, 'forced: {{reason}}'),
      ],
    },
    {
      kind: 'Time',
      title: 'Audit rate and audits lost',
      description:
        'Probability that a row is audited, and the share of chosen audits that were lost: above 1 % the evidence is void.',
      unit: 'percentunit',
      width: 8,
      targets: [
        target(aggregate('max', gauge('auditRate'), ['pod']), 'rate {{pod}}'),
        target(ratio(dropped, formula`${chosen} + ${dropped}`), 'lost'),
      ],
    },
    {
      kind: 'Time',
      title: 'Delay of audits and age of the evidence',
      description:
        'p99 from the answer until the answer of the backbone was known; on the right, how long ago the operator read a pod.',
      unit: 's',
      width: 8,
      scenario: 'Exits',
      targets: [
        target(quantile(0.99, histogram('auditDelay')), 'delay p99'),
        target(sinceByPod(gauge('evidenceRead')), 'unread {{pod}}', 's'),
      ],
    },
    {
      kind: 'Timeline',
      title: 'Drift hints',
      description:
        'Traffic looked unlike that which the heads met first: more rows are audited for 10 minutes, nothing else changes.',
      unit: 'bool',
      width: 24,
      targets: [target(aggregate('max', gauge('driftHint'), ['pod', 'kind']), '{{pod}} {{kind}}')],
    },
  ],
};

export const queue: Row = {
  title: 'Queue',
  panels: [
    {
      kind: 'Time',
      title: 'Wait',
      description: 'Wait of a row for its batch; the signal to scale on.',
      unit: 's',
      width: 8,
      targets: [
        target(quantile(0.5, histogram('queueDuration')), 'p50'),
        target(quantile(0.99, histogram('queueDuration')), 'p99'),
      ],
    },
    {
      kind: 'Time',
      title: 'Depth',
      description:
        'Rows that wait on each pod, the most since the last point, and how many may wait; requests in flight.',
      unit: 'short',
      width: 8,
      targets: [
        target(
          aggregate('max', overTime('max', gauge('queueRows'), '$__rate_interval'), ['pod']),
          'rows {{pod}}',
        ),
        target(aggregate('min', gauge('queueCapacity')), 'capacity of a pod'),
        target(sum(gauge('requestsInFlight')), 'requests in flight'),
        target(sum(gauge('auditBacklog')), 'audits to come'),
      ],
    },
    {
      kind: 'Heat',
      title: 'Rows of a batch',
      description: 'Batches each second by the rows that they had on arrival at the engine.',
      unit: 'suffix: events/s',
      width: 8,
      targets: [target(buckets(histogram('batchRows')), '{{le}}')],
    },
  ],
};

export const compute: Row = {
  title: 'Compute',
  panels: [
    {
      kind: 'Time',
      title: 'Engine time, spent and avoided',
      description:
        'Seconds of the engine each second, by what it did; avoided: segments that need not run, gross. Net saving is on top.',
      unit: 'suffix: s/s',
      width: 12,
      targets: [
        target(sum(rate(counter('computeSeconds')), ['kind']), '{{kind}}'),
        after('Exits', target(sum(rate(counter('computeAvoided'))), 'avoided')),
      ],
    },
    {
      kind: 'Time',
      title: 'Time of a segment',
      description: 'p99 of a segment in one batch with its heads, by the exit at its end.',
      unit: 's',
      width: 12,
      targets: [
        target(quantile(0.99, histogram('segmentDuration'), ['segment']), '{{segment}} p99'),
        target(
          ratio(
            sum(rate(counter('computeSeconds', { kind: 'segment' }))),
            sum(observations(histogram('batchRows'))),
          ),
          'whole batch, mean',
        ),
      ],
    },
  ],
};
