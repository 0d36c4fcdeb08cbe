import { describe, expect, test } from 'vitest';

import type { CachedModelService } from '../../../../crds/v1alpha1/cached-model-service.ts';
import { LOCAL_RULES } from '../../../../crds/v1alpha1/local-rules.ts';
import type { Rule } from '../../../../crds/v1alpha1/rule.ts';
import { SERVICE_RULES } from '../../../../crds/v1alpha1/rules.ts';
import { aService } from './service.ts';

type Spec = Record<string, unknown>;

function brokenMessages(rules: readonly Rule<CachedModelService>[], spec: Spec, name?: string): string[] {
  const service = aService(spec, name);
  return rules.filter((rule) => !rule.holds(service)).map((rule) => rule.message);
}

const gpu = { resources: { limits: { 'nvidia.com/gpu': 1, cpu: 1 } } };
const pinned = `sha256:${'0'.repeat(64)}`;
const companion = (name: string): Spec => ({ name, model: { uri: 'https://m.example.com/x' } });

// Messages are those of api.md 4.
const cases: readonly (readonly [
  message: string,
  broken: readonly Spec[],
  sound: readonly Spec[],
])[] = [
  [
    'with autoscaling the HPA owns the count: remove replicas (to bring your own HPA or KEDA, remove autoscaling and target this object)',
    [{ replicas: 2, autoscaling: { maxReplicas: 3 } }],
    [{ replicas: 2 }, { replicas: 1, autoscaling: { maxReplicas: 3 } }],
  ],
  [
    'CPU says little about an accelerator pod: set autoscaling.metrics',
    [
      { autoscaling: { maxReplicas: 3 }, pod: gpu },
      { autoscaling: { maxReplicas: 3 }, pod: { resourceClaims: [{ name: 'gpu' }] } },
    ],
    [
      { autoscaling: { maxReplicas: 3, metrics: [] }, pod: gpu },
      { autoscaling: { maxReplicas: 3 }, pod: { resources: { limits: { cpu: 1 } } } },
      { autoscaling: { maxReplicas: 3 }, pod: { resources: { requests: { cpu: 1 } } } },
      { autoscaling: { maxReplicas: 3 }, pod: { nodeSelector: {} } },
    ],
  ],
  [
    'engine TFJSGPU needs a GPU: add an extended resource to pod.resources.limits or a pod.resourceClaims entry',
    [{ server: { engine: 'TFJSGPU' } }],
    [{ server: { engine: 'TFJSGPU' }, pod: gpu }],
  ],
  [
    'engine ONNX runs ONNX models only, TFJS engines run the other formats, SavedModel needs TFJSGPU or TFJSNode: change server.engine or use Auto',
    [
      { server: { engine: 'ONNX' }, backbone: { uri: 'file:m', format: 'SavedModel' } },
      { server: { engine: 'TFJSWASM' }, backbone: { uri: 'file:m', format: 'ONNX' } },
      { server: { engine: 'TFJSWASM' }, backbone: { uri: 'file:m', format: 'SavedModel' } },
      {
        server: { engine: 'ONNX' },
        exits: [{ name: 'a', model: { uri: 'https://m', format: 'TFJSGraphModel' } }],
      },
    ],
    [
      { backbone: { uri: 'file:m', format: 'SavedModel' } },
      { server: { engine: 'ONNX' } },
      { server: { engine: 'ONNX' }, backbone: { uri: 'file:m', format: 'ONNX' } },
      { server: { engine: 'TFJSNode' }, backbone: { uri: 'file:m', format: 'SavedModel' } },
      { server: { engine: 'TFJSWASM' }, backbone: { uri: 'file:m', format: 'TFJSGraphModel' } },
    ],
  ],
  [
    'heads.revision has no effect with an empty exits list: remove one of them',
    [{ heads: { revision: 'a' }, exits: [] }],
    [{ heads: { revision: 'a' } }, { exits: [] }],
  ],
  [
    'credentialsSecretName has no effect with pvc:// or file://: remove it',
    [
      { backbone: { uri: 'pvc://a/b', credentialsSecretName: 's' } },
      { exits: [{ name: 'a', model: { uri: 'file:///m', credentialsSecretName: 's' } }] },
    ],
    [{ backbone: { uri: 's3://a/b', credentialsSecretName: 's' } }],
  ],
  [
    'http:// needs digest: add the sha256 or use https://',
    [{ backbone: { uri: 'http://a/b' } }],
    [{ backbone: { uri: 'http://a/b', digest: pinned } }],
  ],
  [
    'set exactly one of tensor, model',
    [{ exits: [{ name: 'a' }] }, { exits: [{ ...companion('a'), tensor: 't' }] }],
    [{ exits: [companion('a'), { name: 'b', tensor: 't' }] }],
  ],
  [
    'the name backbone is reserved: choose another',
    [{ exits: [{ name: 'backbone', tensor: 't' }] }],
    [],
  ],
  [
    'two exits name the same tensor: keep one',
    [
      {
        exits: [
          { name: 'a', tensor: 't' },
          { name: 'b', tensor: 't' },
        ],
      },
    ],
    [{ exits: [companion('a'), companion('b')] }],
  ],
  [
    'at most 2 exits can be companion models: remove one',
    [{ exits: [companion('a'), companion('b'), companion('c')] }],
    [{ exits: [companion('a'), companion('b')] }],
  ],
  [
    'set exactly one of configMap, s3, oci',
    [{ heads: { store: {} } }, { heads: { store: { configMap: {}, s3: { uri: 's3://a' } } } }],
    [{ heads: { store: { configMap: {} } } }, { heads: { store: { oci: { repository: 'r' } } } }],
  ],
  [
    'shares must rise from step to step',
    [{ rollout: { steps: [{ share: '50%' }, { share: '50%' }, { share: '100%' }] } }],
    [{ rollout: { steps: [{ share: '50%' }, { share: '100%' }] } }],
  ],
  ['the last step must be 100%', [{ rollout: { steps: [{ share: '50%' }] } }], []],
  [
    'maxQueueLength must be at least maxBatchSize',
    [{ server: { batching: { maxBatchSize: 64, maxQueueLength: 63 } } }],
    [{ server: { batching: { maxBatchSize: 64, maxQueueLength: 64 } } }],
  ],
  [
    'must be at most 1024Mi',
    [{ server: { limits: { maxRequestSize: '1025Mi' } } }],
    [{ server: { limits: { maxRequestSize: '1Gi' } } }],
  ],
  [
    'minReplicas must not be above maxReplicas',
    [{ autoscaling: { minReplicas: 3, maxReplicas: 2 } }],
    [{ autoscaling: { minReplicas: 2, maxReplicas: 2 } }],
  ],
  [
    'maxSurge and maxUnavailable have no effect with Recreate: remove them',
    [
      { updateStrategy: { type: 'Recreate', maxSurge: 1 } },
      { updateStrategy: { type: 'Recreate', maxUnavailable: 1 } },
    ],
    [{ updateStrategy: { type: 'Recreate' } }, { updateStrategy: { maxSurge: 1 } }],
  ],
  [
    'maxSurge and maxUnavailable cannot both be 0',
    [{ updateStrategy: { maxSurge: 0, maxUnavailable: '0%' } }],
    [{ updateStrategy: { maxSurge: 0 } }, { updateStrategy: { maxSurge: 0, maxUnavailable: 1 } }],
  ],
  [
    'set only one of minAvailable, maxUnavailable',
    [{ podDisruptionBudget: { minAvailable: 1, maxUnavailable: 1 } }],
    [{ podDisruptionBudget: { minAvailable: 1 } }, { podDisruptionBudget: { maxUnavailable: 1 } }],
  ],
  [
    'minAvailable and maxUnavailable have no effect with mode Disabled: remove them',
    [
      { podDisruptionBudget: { mode: 'Disabled', minAvailable: 1 } },
      { podDisruptionBudget: { mode: 'Disabled', maxUnavailable: 1 } },
    ],
    [{ podDisruptionBudget: { mode: 'Disabled' } }],
  ],
  [
    'from and egress have no effect unless mode is Enabled: remove them or set it',
    [{ networkPolicy: { from: [] } }, { networkPolicy: { mode: 'Disabled', egress: [] } }],
    [{ networkPolicy: { mode: 'Enabled', from: [], egress: [] } }],
  ],
];

describe.each(cases)('%s', (message, broken, sound) => {
  test('holds exactly where it should', () => {
    for (const spec of broken) expect(brokenMessages(SERVICE_RULES, spec)).toContain(message);
    for (const spec of sound) expect(brokenMessages(SERVICE_RULES, spec)).not.toContain(message);
  });
});

test('a name becomes a Service name with room for suffixes', () => {
  expect(brokenMessages(SERVICE_RULES, {}, 'a'.repeat(40))).toEqual([]);
  expect(brokenMessages(SERVICE_RULES, {}, 'a'.repeat(41))).toEqual([
    'metadata.name must be at most 40 characters (child objects add suffixes)',
  ]);
  for (const name of ['9a', 'a.b', 'A', 'a-']) {
    expect(brokenMessages(SERVICE_RULES, {}, name)).toEqual([
      "metadata.name must start with a letter and hold only a-z, 0-9 and '-' (it becomes a Service name)",
    ]);
  }
});

test('every rule has a case', () => {
  const tested = new Set(cases.map(([message]) => message));
  const untested = SERVICE_RULES.filter((rule) => !tested.has(rule.message)).map(
    (rule) => rule.path,
  );
  expect(untested).toEqual(['', '']);
});

test('a rule names each place that breaks it', () => {
  const service = aService({ exits: [{ name: 'a' }, { name: 'b', tensor: 't' }, { name: 'c' }] });
  expect(SERVICE_RULES.flatMap((rule) => rule.brokenAt(service))).toEqual([
    ['spec', 'exits', 0],
    ['spec', 'exits', 2],
  ]);
});

test('local mode takes files, tensors and ONNX, and says what else it meets', () => {
  expect(
    brokenMessages(LOCAL_RULES, { backbone: { uri: 'file:m' }, server: { engine: 'ONNX' } }),
  ).toEqual([]);
  expect(
    brokenMessages(LOCAL_RULES, { exits: [companion('a')], server: { engine: 'TFJSCPU' } }),
  ).toEqual([
    'local mode reads models from files: write file:PATH, relative to the manifest',
    'local mode does not run companion models: remove this exit or name a tensor',
    'local mode runs ONNX models: set server.engine to Auto or ONNX',
  ]);
});
