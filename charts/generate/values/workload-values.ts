import { z } from 'zod';
import { MAX_SHARDS } from '../../../operator/plan/lease-names.ts';
import * as f from './fields.ts';

/** Values about what runs. */

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export const workloadValues = {
  operator: f.block('The operator.', {
    image: f.pulledImage(
      'Image of operator, trainer and command line.',
      'docker.io/layercache/operator',
    ),
    replicas: f.whole(
      'One leads, or as many as there are shards, the others stand by; from 2 on with a disruption budget, spread over nodes.',
      { min: 0, max: 10, standard: 1 },
    ),
    shards: f.whole(
      'Leaders that divide the namespaces, each with a Lease of its own; more than 1 only for more than about 1,000 services.',
      { min: 1, max: MAX_SHARDS, standard: 1 },
    ),
    log: f.choice('Log level.', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
    concurrency: f.whole('Passes over services at once.', { min: 1, max: 64, standard: 4 }),
    resources: f.resources(
      'No CPU limit: a throttled leader loses its Lease. The heap is 3/4 of the memory limit.',
      { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
    ),
    podSecurityContext: f.passedOn('Of the pod.', {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      fsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    }),
    securityContext: f.passedOn('Of the container.', {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    }),
    probes: f.block('Times of the probes.', {
      liveness: f.passedOn('Of the liveness probe.', {
        periodSeconds: 10,
        timeoutSeconds: 5,
        failureThreshold: 3,
      }),
      readiness: f.passedOn('Of the readiness probe.', {
        periodSeconds: 5,
        timeoutSeconds: 5,
        failureThreshold: 3,
      }),
    }),
    extraEnv: z
      .record(z.string().regex(VARIABLE), z.union([z.string(), z.record(z.string(), z.unknown())]))
      .default({})
      .meta({
        description:
          'Further variables: text, or a `valueFrom` object. Names that the chart sets itself are refused.',
      }),
    podLabels: f.labels('On the pods.'),
    podAnnotations: f.annotations('On the pods.'),
    nodeSelector: f.labels('Of the pods.', { 'kubernetes.io/os': 'linux' }),
    tolerations: f.named('Tolerations, `{name: toleration}`.'),
    affinity: f.passedOn('Of the pods.'),
    topologySpreadConstraints: f.named(
      'Constraints, `{name: constraint}`; empty: with several replicas one on each node if possible.',
    ),
    priorityClassName: f.matching('Of the pods.', /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$/),
    terminationGracePeriodSeconds: f.whole(
      'Passes at work get 20 s to end, then the Lease is given back.',
      { min: 5, max: 600, standard: 30 },
    ),
    pdb: f.block('Disruption budget, with at least two replicas: for one it would block a drain.', {
      enabled: f.toggle('Makes it.', true),
      minAvailable: f.whole('Replicas that stay.', { min: 1, max: 9, standard: 1 }),
    }),
  }),
  server: f.block('Model servers.', {
    image: f.pulledImage(
      'Image of model pods; the pull policy is that of trainers too.',
      'docker.io/layercache/server',
    ),
    gpuImage: f.image(
      'Image of model pods with an accelerator.',
      'docker.io/layercache/server-gpu',
    ),
    tensorflowImage: f.image(
      'Image of model pods with native TensorFlow: engine TFJSNode, and SavedModels. For x64 alone.',
      'docker.io/layercache/server-tensorflow',
    ),
    tensorflowGpuImage: f.image(
      'Image of model pods with native TensorFlow and an accelerator: engine TFJSGPU, and SavedModels and graph models.',
      'docker.io/layercache/server-tensorflow-gpu',
    ),
    defaults: f.block('For services that leave a field open.', {
      resources: f.resources('For services without pod.resources.', {
        requests: { cpu: '500m', memory: '1Gi' },
        limits: { memory: '2Gi' },
      }),
      networkPolicy: f.choice(
        'For services without networkPolicy.mode.',
        ['Enabled', 'Disabled'],
        'Disabled',
      ),
      allowedHosts: f.switches(
        'Hosts beyond public ones that pods may fetch from, `{minio.ml.svc: true}`; `host`, `*.suffix` or `host:port`.',
        /^(\*|[A-Za-z0-9*.:-]{1,259})$/,
      ),
    }),
  }),
  trainer: f.block('Training Jobs.', {
    enabled: f.toggle('Without it nothing is trained: heads come from elsewhere.', true),
    resources: f.resources('For services without heads.training.resources.', {
      requests: { cpu: '1', memory: '1Gi' },
      limits: { memory: '4Gi' },
    }),
  }),
};
