import { OBJECT } from '../queries/label-sets.ts';
import {
  age,
  aggregate,
  formula,
  increase,
  quantile,
  rate,
  ratio,
  sum,
  top,
} from '../queries/query.ts';
import { target, type Board, type Row } from './panel.ts';
import { OPERATOR_VARIABLES, ofOperator } from './scopes.ts';

const { gauge, counter, histogram } = ofOperator;

const reconciling: Row = {
  title: 'Reconciling',
  panels: [
    {
      kind: 'Time',
      title: 'Passes',
      description: 'Passes over objects each second, by controller and result.',
      unit: 'suffix: events/s',
      width: 6,
      targets: [
        target(
          sum(rate(counter('reconciles')), ['controller', 'result']),
          '{{controller}} {{result}}',
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Failed passes',
      description: 'Share of the passes that failed; a few conflicts are not among them.',
      unit: 'percentunit',
      width: 6,
      targets: [
        target(
          ratio(
            sum(rate(counter('reconcileErrors')), ['controller']),
            sum(rate(counter('reconciles')), ['controller']),
          ),
          '{{controller}}',
        ),
        target(
          sum(increase(counter('terminalReconcileErrors')), ['controller']),
          '{{controller}} until its object changes',
          'short',
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Time of a pass',
      description: 'p50 and p99 of a pass over one object.',
      unit: 's',
      width: 6,
      targets: [
        target(quantile(0.5, histogram('reconcileTime'), ['controller']), '{{controller}} p50'),
        target(quantile(0.99, histogram('reconcileTime'), ['controller']), '{{controller}} p99'),
      ],
    },
    {
      kind: 'Stat',
      title: 'Panics',
      description:
        'Passes that met a broken assumption in the last hour; the process ends after one.',
      unit: 'short',
      isBadAboveZero: true,
      width: 6,
      targets: [target(sum(increase(counter('reconcilePanics'), '1h')), 'panics')],
    },
  ],
};

const queues: Row = {
  title: 'Queues',
  panels: [
    {
      kind: 'Time',
      title: 'Depth',
      description:
        'Keys that wait for a worker, and keys that came back after a failure each second.',
      unit: 'short',
      width: 8,
      targets: [
        target(aggregate('max', gauge('queueDepth'), ['name']), '{{name}}'),
        target(sum(rate(counter('queueAdds')), ['name']), '{{name}} added', 'suffix: events/s'),
        target(
          sum(rate(counter('queueRetries')), ['name']),
          '{{name}} retried',
          'suffix: events/s',
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Wait',
      description: 'p99 of the wait of a key for a worker.',
      unit: 's',
      width: 8,
      targets: [target(quantile(0.99, histogram('queueWait'), ['name']), '{{name}} p99')],
    },
    {
      kind: 'Time',
      title: 'Longest pass that runs',
      description:
        'Age of the oldest pass still running: it grows while a worker is stuck. On the right, workers that are busy.',
      unit: 's',
      width: 8,
      targets: [
        target(aggregate('max', gauge('queueLongest'), ['name']), '{{name}}'),
        target(aggregate('max', gauge('queueUnfinished'), ['name']), '{{name}} all together'),
        target(sum(gauge('activeWorkers'), ['controller']), '{{controller}} busy', 'short'),
        target(
          aggregate('max', gauge('maxConcurrentReconciles'), ['controller']),
          '{{controller}} workers',
          'short',
        ),
      ],
    },
  ],
};

const api: Row = {
  title: 'API server',
  panels: [
    {
      kind: 'Time',
      title: 'Calls by code',
      description: 'Calls of the API server each second; <error> when there was no answer.',
      unit: 'reqps',
      width: 8,
      targets: [target(sum(rate(counter('apiRequests')), ['code']), '{{code}}')],
    },
    {
      kind: 'Time',
      title: 'Writes by result',
      description:
        'Writes each second; rejected ones fail again until their object changes. Kubernetes Events are told apart.',
      unit: 'suffix: events/s',
      width: 8,
      targets: [
        target(sum(rate(counter('objectWrites')), ['result']), '{{result}}'),
        target(sum(rate(counter('events')), ['result']), 'Events {{result}}'),
      ],
    },
    {
      kind: 'Time',
      title: 'Caches',
      description:
        'Kinds whose copy is not kept current, and differences that only a periodic list brought to light; on the right, objects held.',
      unit: 'short',
      width: 8,
      targets: [
        target(
          formula`${aggregate('count', gauge('cacheCurrent'))} - ${sum(gauge('cacheCurrent'))}`,
          'kinds not current',
        ),
        target(sum(increase(counter('cacheMisses'), '1h')), 'missed in the last hour'),
        target(sum(rate(counter('cacheLists')), ['cause']), 'lists {{cause}}'),
        target(sum(rate(counter('cacheWatchEnds')), ['end']), 'watches ended {{end}}'),
        target(sum(gauge('cacheObjects')), 'objects', 'short'),
      ],
    },
  ],
};

const fleet: Row = {
  title: 'Fleet',
  panels: [
    {
      kind: 'Time',
      title: 'Pulls of evidence',
      description:
        'Evidence asked of pods each second, by what came of it; on the right p99 of a pull.',
      unit: 'suffix: events/s',
      width: 8,
      targets: [
        target(sum(rate(counter('evidencePulls')), ['result']), '{{result}}'),
        target(quantile(0.99, histogram('evidencePullDuration')), 'p99', 's'),
      ],
    },
    {
      kind: 'Time',
      title: 'Pod that was silent for longest',
      description:
        'How long ago the least recently read pod of a service was read; the ten longest.',
      unit: 's',
      width: 8,
      targets: [
        target(
          top(10, age(aggregate('max', gauge('evidenceOldest'), OBJECT))),
          '{{model_namespace}}/{{model}}',
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Spread of a policy',
      description:
        'Seconds from a policy stored to a status that says every ready pod acknowledged it, or to the next policy; over an hour.',
      unit: 's',
      width: 8,
      targets: [
        target(quantile(0.5, histogram('policyPropagation'), ['result'], '1h'), 'p50 {{result}}'),
        target(quantile(0.99, histogram('policyPropagation'), ['result'], '1h'), 'p99 {{result}}'),
        target(sum(rate(counter('policyPublishes')), ['path']), 'by {{path}}', 'suffix: events/s'),
      ],
    },
  ],
};

const process: Row = {
  title: 'Process',
  panels: [
    {
      kind: 'Timeline',
      title: 'Leader',
      description: 'Which pod holds a Lease; exactly one should, or one for each shard.',
      unit: 'bool',
      width: 12,
      targets: [target(aggregate('max', gauge('leader'), ['pod']), '{{pod}}')],
    },
    {
      kind: 'Time',
      title: 'Memory and processor',
      description: 'Resident memory of each pod; on the right, processor seconds each second.',
      unit: 'bytes',
      width: 12,
      targets: [
        target(aggregate('max', gauge('processMemory'), ['pod']), '{{pod}}'),
        target(sum(rate(counter('processCpu')), ['pod']), '{{pod}} processor', 'suffix: s/s'),
      ],
    },
    {
      kind: 'Time',
      title: 'Event loop',
      description: 'p99 of how late timers are.',
      unit: 's',
      width: 12,
      targets: [target(aggregate('max', gauge('eventLoopLag'), ['pod']), '{{pod}}')],
    },
    {
      kind: 'Time',
      title: 'Size of a scrape',
      description:
        'Samples of a scrape: they grow with the services; on the right the time that it takes.',
      unit: 'short',
      width: 12,
      targets: [
        target(aggregate('max', gauge('scrapeSamples'), ['pod']), '{{pod}}'),
        target(aggregate('max', gauge('scrapeDuration'), ['pod']), '{{pod}} time', 's'),
      ],
    },
  ],
};

export const OPERATOR: Board = {
  uid: 'layercache-operator',
  title: 'Layercache / Operator',
  description: 'The operator itself: is it awake, is it behind, does it hear its pods.',
  variables: OPERATOR_VARIABLES,
  annotations: [],
  rows: [reconciling, queues, api, fleet, process],
};
