import { SERVICE } from '../queries/label-sets.ts';
import { aggregate, age, formula, increase, quantile, sum } from '../queries/query.ts';
import { sinceByPod } from './figures.ts';
import { after, target, type Board, type Row } from './panel.ts';
import { SERVICE_ANNOTATIONS, SERVICE_VARIABLES, ofServices } from './scopes.ts';
import { audits, compute, exits, overview, queue } from './service-traffic.ts';

const { gauge, counter, histogram } = ofServices;

const revision = gauge('policyRevision');

const policy: Row = {
  title: 'Policy and heads',
  panels: [
    {
      kind: 'Time',
      title: 'Policy revision of each pod',
      description:
        'Pods of one service should show one line; skew is the distance between the most and the least recent. On the right: since it was applied, and since the operator was heard of.',
      unit: 'short',
      width: 12,
      targets: [
        target(aggregate('max', revision, ['pod']), '{{pod}}'),
        target(
          formula`${aggregate('max', revision, SERVICE)} - ${aggregate('min', revision, SERVICE)}`,
          '{{model}} skew',
        ),
        target(age(aggregate('max', gauge('policyApplied'), ['pod'])), 'applied {{pod}}', 's'),
        target(sinceByPod(gauge('policyHeard')), 'heard {{pod}}', 's'),
      ],
    },
    {
      kind: 'Time',
      title: 'Policies, heads and fetches',
      description:
        'What came in, and what became of it; on the right, p99 of the time of a swap of heads in the last hour.',
      unit: 'short',
      width: 12,
      targets: [
        target(sum(increase(counter('policyApplies')), ['path', 'result']), '{{path}} {{result}}'),
        target(sum(increase(counter('headSwaps')), ['result']), 'swap {{result}}'),
        target(sum(increase(counter('fetches')), ['kind', 'result']), 'fetch {{kind}} {{result}}'),
        after(
          'Exits',
          target(
            quantile(0.99, histogram('headSwapDuration'), ['result'], '1h'),
            'time of a swap {{result}}, p99',
            's',
          ),
        ),
      ],
    },
  ],
};

const process: Row = {
  title: 'Process',
  panels: [
    {
      kind: 'Time',
      title: 'Event loop and engine restarts',
      description:
        'p99 of how late the main process is; on the right, restarts of its engine host by cause.',
      unit: 's',
      width: 12,
      targets: [
        target(aggregate('max', gauge('eventLoopLag'), ['pod']), 'late {{pod}}'),
        after(
          'Restart',
          target(
            formula`${sum(increase(counter('engineRestarts')), ['cause'])} > 0`,
            'restarts: {{cause}}',
            'short',
          ),
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Memory and activations',
      description:
        'Resident memory of the main process and of its engine host; on the right, activations (0 when idle) and cut backbones that the engine holds.',
      unit: 'bytes',
      width: 12,
      targets: [
        target(aggregate('max', gauge('processMemory'), ['pod']), 'main {{pod}}'),
        target(aggregate('max', gauge('engineMemory'), ['pod']), 'engine {{pod}}'),
        target(
          aggregate('max', gauge('engineActivations'), ['pod']),
          'activations {{pod}}',
          'short',
        ),
        target(aggregate('max', gauge('enginePlans'), ['pod']), 'plans {{pod}}', 'short'),
      ],
    },
  ],
};

const gpu: Row = {
  title: 'GPU (DCGM exporter)',
  panels: [
    {
      kind: 'Time',
      title: 'GPU',
      description:
        'Of the DCGM exporter, with honorLabels so that a series names the pod that holds the GPU; empty on processors.',
      unit: 'percent',
      width: 24,
      scenario: 'Gpu',
      targets: [
        target(aggregate('max', gauge('gpuUtilization'), ['pod', 'gpu']), 'busy {{pod}} {{gpu}}'),
        target(
          aggregate('max', gauge('gpuMemory'), ['pod', 'gpu']),
          'memory {{pod}} {{gpu}}',
          'mbytes',
        ),
      ],
    },
  ],
};

export const SERVICE_BOARD: Board = {
  uid: 'layercache-service',
  title: 'Layercache / Service',
  description: 'One service in depth: exits, evidence, queue, engine, policy.',
  variables: SERVICE_VARIABLES,
  annotations: SERVICE_ANNOTATIONS,
  rows: [overview, exits, audits, queue, compute, policy, process, gpu],
};
