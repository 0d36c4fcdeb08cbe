import { z } from 'zod';

import { areUnique } from '../wire/shapes.ts';
import * as f from './fields.ts';
import { resources } from './resources.ts';

/** Server, pods, scaling and network: how the endpoint runs. */

export const ENGINES = ['Auto', 'ONNX', 'TFJSGPU', 'TFJSNode', 'TFJSWASM', 'TFJSCPU'] as const;

const batching = z
  .strictObject({
    maxBatchSize: f.wholeNumber(1, 1024, { description: 'Most rows of one batch.' }).default(32),
    maxQueueDelay: f.durationOr('2ms', ['0s', '1s', '2ms'], {
      description: 'Longest wait for a fuller batch, only where that is measured to pay.',
    }),
    maxQueueLength: f
      .wholeNumber(1, 100_000, { description: 'Rows that may wait; more are refused with 429.' })
      .default(1024),
  })
  .prefault({})
  .meta({ description: 'Queue and batches.' });

const limits = z
  .strictObject({
    maxRequestSize: f.byteSizeOr('16Mi', {
      description: 'Largest request body.',
      bounds: 'at most 1024Mi',
      example: '16Mi',
    }),
    maxConcurrentRequests: f
      .wholeNumber(1, 100_000, { description: 'Requests in flight; more are refused with 429.' })
      .default(256),
    requestTimeout: f.durationOr('30s', ['10ms', '10m', '30s'], {
      description: 'Deadline of a request that brings none.',
    }),
  })
  .prefault({})
  .meta({ description: 'Limits of requests.' });

export const server = z
  .strictObject({
    image: f.text(512, { description: 'Server image.', computed: 'chart' }).optional(),
    imagePullPolicy: z
      .enum(['Always', 'IfNotPresent', 'Never'])
      .optional()
      .meta({ description: 'When the image is pulled.', computed: 'chart' }),
    imagePullSecretNames: z
      .array(f.objectName('Secret for pulling the image.'))
      .max(8)
      .refine(areUnique, 'a Secret stands twice: remove one')
      .optional()
      .meta({
        description: 'Secrets for pulling the image.',
        bounds: 'at most 8',
        computed: 'chart',
        'x-kubernetes-list-type': 'set',
      }),
    engine: z.enum(ENGINES).default('Auto').meta({
      description:
        'Engine that runs the backbone: Auto picks one by format and device; a named one that cannot start is an error.',
    }),
    batching,
    limits,
    warmup: z
      .strictObject({
        iterations: f.wholeNumber(0, 100, { description: 'Warm-up runs before ready.' }).default(3),
        inputsConfigMapName: f
          .objectName('ConfigMap whose values are bodies of infer requests, run before ready.')
          .optional(),
      })
      .prefault({})
      .meta({ description: 'Runs before the first request.' }),
    startupDeadline: f.durationOr('20m', ['1m', '2h', '20m'], {
      description: 'Longest time from start to ready.',
    }),
    drain: z
      .strictObject({
        delay: f.durationOr('10s', ['0s', '10m', '10s'], {
          description: 'How long a stopping server keeps serving.',
        }),
        timeout: f.durationOr('30s', ['1s', '1h', '30s'], {
          description: 'Longest time for requests in flight after that.',
        }),
      })
      .prefault({})
      .meta({ description: 'How a server stops.' }),
    policyMaxAge: f.durationOr('5m', ['30s', '24h', '5m'], {
      description:
        'After this time without word from the operator a policy is stale, and exits go off.',
    }),
    logLevel: z
      .enum(['Error', 'Warn', 'Info', 'Debug'])
      .default('Info')
      .meta({ description: 'Least severe lines that are logged.' }),
  })
  .prefault({})
  .meta({ description: 'The model server.' });

export const replicas = f
  .wholeNumber(0, 1000, { description: 'Pods; the scale subresource.' })
  .default(1);

export const suspend = z.boolean().default(false).meta({
  description: 'True: no pods, loops stop, everything is kept.',
});

export const autoscaling = z
  .strictObject({
    minReplicas: f.wholeNumber(1, 1000, { description: 'Fewest pods.' }).default(1),
    maxReplicas: f.wholeNumber(1, 1000, { description: 'Most pods.', example: 8 }),
    metrics: f
      .rawList(10, 'Metrics as in autoscaling/v2; absent: 70 % of the requested CPU.')
      .optional(),
    behavior: f.raw('Behaviour as in autoscaling/v2.').optional(),
  })
  .optional()
  .meta({ description: 'HorizontalPodAutoscaler made by the operator.' });

export const pod = z
  .strictObject({
    resources: resources(
      'Resources of the server container; any extended resource name.',
    ).optional(),
    nodeSelector: f.stringMap('Node labels that pods need.').optional(),
    tolerations: f.rawList(64, 'Taints that the pods tolerate, as in a pod.').optional(),
    affinity: f.raw('Affinity, as in a pod.').optional(),
    topologySpreadConstraints: f
      .rawList(16, 'How pods spread over nodes and zones, as in a pod.')
      .optional(),
    resourceClaims: f.rawList(16, 'Resource claims, also added to the container.').optional(),
    runtimeClassName: f.objectName('RuntimeClass of the pods.').optional(),
    priorityClassName: f.objectName('PriorityClass of the pods.').optional(),
    serviceAccountName: f
      .objectName('Account of the pods, for cloud identity.', 'the name of the service')
      .optional(),
    labels: f.stringMap('More labels of the pods.').optional(),
    annotations: f.stringMap('More annotations of the pods.').optional(),
  })
  .optional()
  .meta({ description: 'Placement and resources of the pods.' });

export const podTemplate = f
  .raw('PodTemplateSpec, merged last: containers, volumes and env by name, mounts by path.')
  .optional();

const intOrPercent = z
  .union(
    [
      z.int32().min(0).max(1000),
      z
        .string()
        .max(64)
        .regex(/^(100|[1-9]?[0-9])%$/),
    ],
    {
      error: 'write a whole number or a percentage, for example 1 or "25%"',
    },
  )
  .meta({ bounds: '0 to 1000, or 0% to 100%' });

export const updateStrategy = z
  .strictObject({
    type: z.enum(['RollingUpdate', 'Recreate']).default('RollingUpdate').meta({
      description:
        'RollingUpdate replaces pods within the two limits below; Recreate stops all of them first.',
    }),
    maxSurge: intOrPercent.optional().meta({
      description: 'Pods above the count during a roll.',
      computed: '0 with an extended resource, else 1',
    }),
    maxUnavailable: intOrPercent.optional().meta({
      description: 'Pods that may be missing during a roll.',
      computed: '1 with an extended resource, else 0',
    }),
  })
  .prefault({})
  .meta({ description: 'How pods roll.' });

export const upgradePolicy = z.enum(['OnSpecChange', 'Automatic']).default('OnSpecChange').meta({
  description:
    'When new defaults of an upgraded operator reach the pods: with the next change that rolls them, or at once.',
});

export const podDisruptionBudget = z
  .strictObject({
    mode: z
      .enum(['Auto', 'Disabled'])
      .default('Auto')
      .meta({ description: 'Auto: a budget when there is more than one replica.' }),
    minAvailable: intOrPercent.optional().meta({ description: 'Pods that must stay.' }),
    maxUnavailable: intOrPercent.optional().meta({
      description: 'Pods that may be evicted.',
      computed: '1',
    }),
  })
  .prefault({})
  .meta({ description: 'Protection against voluntary evictions.' });

export const networkPolicy = z
  .strictObject({
    mode: z.enum(['Enabled', 'Disabled']).optional().meta({
      description: 'Whether NetworkPolicies are made, of pods and trainer.',
      computed: 'chart (Disabled)',
    }),
    from: f.rawList(16, 'Peers that may reach the data port; absent: all.').optional(),
    egress: f
      .rawList(
        16,
        'Egress rules of pods and trainer; absent: DNS, TCP 80, 443 and ports that the service or the chart names.',
      )
      .optional(),
  })
  .prefault({})
  .meta({ description: 'Network of the pods.' });
