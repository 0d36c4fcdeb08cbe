import { exitRows } from '../queries/exit-figures.ts';
import { agreement } from './figures.ts';
import { OBJECT } from '../queries/label-sets.ts';
import { aggregate, formula, increase, quantile, rate, ratio, sum } from '../queries/query.ts';
import { after, target, type Board, type Row } from './panel.ts';
import { SERVICE_ANNOTATIONS, SERVICE_VARIABLES, ofServices } from './scopes.ts';

const { gauge, counter, histogram } = ofServices;

const state: Row = {
  title: 'State',
  panels: [
    {
      kind: 'Timeline',
      title: 'Stage',
      description: 'Stage of the heads: collecting, training, shadowing, ramping, serving.',
      unit: 'bool',
      width: 16,
      targets: [
        target(aggregate('max', gauge('serviceState'), ['model', 'state']), '{{model}} {{state}}'),
      ],
    },
    {
      kind: 'Time',
      title: 'Share of the candidate',
      description:
        'Share of the traffic that the candidate is given, and the share of rows that it answered.',
      unit: 'percentunit',
      width: 8,
      targets: [
        target(aggregate('max', gauge('serviceCandidateShare'), OBJECT), '{{model}} given'),
        target(
          ratio(
            sum(rate(counter('rows', { track: 'candidate' })), ['model']),
            sum(rate(counter('rows')), ['model']),
          ),
          '{{model}} answered',
        ),
      ],
    },
  ],
};

const evidence: Row = {
  title: 'Evidence',
  panels: [
    {
      kind: 'Time',
      title: 'Audited rows and rows needed',
      description:
        'Rows behind the figures of each track, and the rows at which the next look at the candidate is taken.',
      unit: 'short',
      width: 6,
      targets: [
        after(
          'Ramp',
          target(
            aggregate('max', gauge('serviceEvidence'), ['model', 'track']),
            '{{model}} {{track}}',
          ),
        ),
        after(
          'Ramp',
          target(aggregate('max', gauge('serviceEvidenceNeeded'), ['model']), '{{model}} needed'),
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Certificates',
      description: 'Attempts in the last hour: a lambda passed, none did, or too few rows came.',
      unit: 'short',
      width: 6,
      targets: [
        target(
          sum(increase(counter('certificates'), '1h'), ['model', 'result']),
          '{{model}} {{result}}',
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Upper bound',
      description:
        'Upper confidence bound of the disagreement or F1 loss; a rollout goes on only while it is below the budget.',
      unit: 'percentunit',
      width: 6,
      scenario: 'Violation',
      targets: [
        target(
          aggregate('max', gauge('serviceDisagreement', { bound: 'upper' }), ['model']),
          '{{model}} upper bound',
        ),
        target(aggregate('max', gauge('serviceBudget'), ['model']), '{{model}} budget'),
      ],
    },
    {
      kind: 'Time',
      title: 'Detector',
      description:
        "Logarithm of the detector's statistic over that of its alarm level: exits go off at 100 %. Below 0 there is no sign of a violation.",
      unit: 'percentunit',
      isSigned: true,
      mayExceedWhole: true,
      width: 6,
      scenario: 'Alarm',
      targets: [
        target(aggregate('max', gauge('serviceDetector'), ['model']), '{{model}}'),
        target(
          formula`${sum(increase(counter('alarms')), ['cause'])} > 0`,
          'alarm: {{cause}}',
          'short',
        ),
      ],
    },
  ],
};

const priced = (kinds: readonly ('backbone' | 'avoided' | 'head' | 'audit')[]) =>
  sum(rate(counter('trackSeconds', { kind: { oneOf: kinds } })), ['track']);
const netOfTrack = formula`${priced(['avoided'])} - ${priced(['head', 'audit'])}`;

const sideBySide: Row = {
  title: 'Side by side',
  panels: [
    {
      kind: 'Time',
      title: 'Latency of both tracks',
      description: 'p50 and p99 from received to last byte, of requests that the track answered.',
      unit: 's',
      width: 6,
      targets: [
        target(quantile(0.5, histogram('requestDuration'), ['track']), '{{track}} p50'),
        target(quantile(0.99, histogram('requestDuration'), ['track']), '{{track}} p99'),
      ],
    },
    {
      kind: 'Time',
      title: 'Exit share of both tracks',
      description: 'Of the rows of a track, the share that an exit answered.',
      unit: 'percentunit',
      width: 6,
      scenario: 'Ramp',
      targets: [
        target(
          ratio(sum(rate(exitRows(ofServices)), ['track']), sum(rate(counter('rows')), ['track'])),
          '{{track}}',
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Agreement of both tracks',
      description:
        'Of the audited answers of exits in the last hour, the share that equals the backbone, or where the budget bounds F1 loss their mean F1.',
      unit: 'percentunit',
      width: 6,
      scenario: 'Ramp',
      targets: [target(agreement(ofServices, ['track']).kept, '{{track}}')],
    },
    {
      kind: 'Time',
      title: 'Saving of both tracks',
      description:
        'Engine time that the exits of a track avoid less what its heads and audits take, of what the backbone alone would take, row by row at the prices of the measured cost table. Batches are shared: compaction is in no track.',
      unit: 'percentunit',
      isSigned: true,
      width: 6,
      scenario: 'Ramp',
      targets: [target(ratio(netOfTrack, priced(['backbone'])), '{{track}}')],
    },
  ],
};

const outcomes: Row = {
  title: 'Outcomes',
  panels: [
    {
      kind: 'Time',
      title: 'Ends of rollouts',
      description:
        'Candidates that came to an end in the last hour, by how; those taken back by the check that failed or by who asked.',
      unit: 'short',
      width: 8,
      targets: [
        target(sum(increase(counter('rollouts'), '1h'), ['result']), '{{result}}'),
        after(
          'Abort',
          target(
            formula`${sum(increase(counter('rolloutAborts'), '1h'), ['cause'])} > 0`,
            'taken back: {{cause}}',
          ),
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Time of rollouts and trainings',
      description:
        'p90 in the last hour, over all services of this installation, by how they ended.',
      unit: 's',
      width: 8,
      scenario: 'Ramp',
      targets: [
        target(quantile(0.9, histogram('rolloutDuration'), ['result'], '1h'), 'rollout {{result}}'),
        target(
          quantile(0.9, histogram('trainingDuration'), ['result'], '1h'),
          'training {{result}}',
        ),
      ],
    },
    {
      kind: 'Time',
      title: 'Trainings',
      description:
        'Trainings that ended in the last hour, by how; on the right, samples for the next one.',
      unit: 'short',
      width: 8,
      targets: [
        target(sum(increase(counter('trainingRuns'), '1h'), ['result']), '{{result}}'),
        target(sum(increase(counter('samples')), ['result']), 'samples {{result}}', 'short'),
        target(sum(gauge('sampleReservoir')), 'samples held', 'short'),
      ],
    },
  ],
};

export const ROLLOUT: Board = {
  uid: 'layercache-rollout',
  title: 'Layercache / Rollout',
  description: 'Heads on their way: trained, certified, ramped, promoted or withdrawn, and why.',
  variables: SERVICE_VARIABLES,
  annotations: SERVICE_ANNOTATIONS,
  rows: [state, evidence, sideBySide, outcomes],
};
