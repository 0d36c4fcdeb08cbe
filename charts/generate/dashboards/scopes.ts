import { increase, seriesIn, type Series } from '../queries/query.ts';
import { target, type Annotation, type Variable } from './panel.ts';

// What the variables at the top of a board narrow: each selector of its queries names all of them that its series have.

const JOB = 'job=~"$job"';
const NAMESPACE = `${JOB},namespace=~"$namespace"`;
const MODEL = `${NAMESPACE},model=~"$model"`;
/** Pods of the operator, and of a service. */
const PODS = `${NAMESPACE},pod=~"$pod"`;
const MODEL_PODS = `${MODEL},pod=~"$pod"`;

/** Boards about services: servers by all four, the operator's figures by the service that they are about. */
export const ofServices: Series = seriesIn({
  server: MODEL_PODS,
  service: 'model_namespace=~"$namespace",model=~"$model"',
  operator: '',
  process: MODEL_PODS,
  alerts: 'alertname=~"Layercache.+"',
  gpu: 'namespace=~"$namespace",pod=~"$pod"',
});

/** The board about the operator itself: what its pods say, of families that every controller of the cluster may have too. */
export const ofOperator: Series = seriesIn(
  {
    server: '',
    service: PODS,
    operator: PODS,
    process: PODS,
    alerts: 'alertname=~"Layercache.+"',
    gpu: '',
  },
  `layercache_operator_build_info{${PODS}}`,
);

export const SERVICE_VARIABLES: readonly Variable[] = [
  {
    name: 'job',
    label: 'Job',
    description: 'Scrape job of the model servers.',
    query: 'label_values(layercache_ready, job)',
  },
  {
    name: 'namespace',
    label: 'Namespace',
    description: 'Namespace of the services.',
    query: `label_values(layercache_ready{${JOB}}, namespace)`,
  },
  {
    name: 'model',
    label: 'Service',
    description: 'Name of the CachedModelService.',
    query: `label_values(layercache_ready{${NAMESPACE}}, model)`,
  },
  {
    name: 'pod',
    label: 'Pod',
    description: 'Model server pod.',
    query: `label_values(layercache_ready{${MODEL}}, pod)`,
  },
];

export const OPERATOR_VARIABLES: readonly Variable[] = [
  {
    name: 'job',
    label: 'Job',
    description: 'Scrape job of the operator.',
    query: 'label_values(layercache_operator_build_info, job)',
  },
  {
    name: 'namespace',
    label: 'Namespace',
    description: 'Namespace of the operator.',
    query: `label_values(layercache_operator_build_info{${JOB}}, namespace)`,
  },
  {
    name: 'pod',
    label: 'Pod',
    description: 'Operator pod; the leader alone decides.',
    query: `label_values(layercache_operator_build_info{${NAMESPACE}}, pod)`,
  },
];

const { gauge, counter } = ofServices;
const transition = gauge('rolloutTransition');
const alarms = increase(counter('alarms'), '2m');

export const SERVICE_ANNOTATIONS: readonly Annotation[] = [
  {
    name: 'Rollout',
    color: 'blue',
    target: target(
      { text: `${transition.text} * 1000`, labels: transition.labels },
      '{{model}}: a rollout started, stepped or ended',
    ),
    valueIsTime: true,
    scenario: 'Ramp',
  },
  {
    name: 'Alarm',
    color: 'red',
    target: target(
      { text: `${alarms.text} > 0`, labels: alarms.labels },
      '{{model}}: exits went off ({{cause}})',
    ),
    valueIsTime: false,
    scenario: 'Alarm',
  },
];
