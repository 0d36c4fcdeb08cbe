import { expect, test } from 'vitest';

import { cachedModelService } from '../../../../crds/v1alpha1/cached-model-service.ts';
import { aManifest, aService } from './service.ts';

function isAccepted(spec: Record<string, unknown>): boolean {
  return cachedModelService.safeParse(aManifest(spec)).success;
}

test('the smallest spec gets every default of the API in base units', () => {
  // api.md 2
  expect(aService().spec).toEqual({
    backbone: { uri: 'https://models.example.com/resnet18.onnx' },
    accuracy: { maxDisagreement: 0.01, confidence: 0.95, agreement: 'Strict', auditRate: 0.02 },
    exitMode: 'Active',
    tuning: { mode: 'Auto', minSaving: 0.03, maxOverhead: 0.05 },
    heads: {
      historyLimit: 5,
      training: {
        mode: 'Auto',
        triggers: ['Alarm', 'SavingLoss', 'NewData'],
        student: 'Off',
        inputs: { maxSize: 64 * 2 ** 20, retention: 3_600_000 },
        cooldown: 900_000,
        deadline: 1_800_000,
      },
    },
    rollout: {
      minRequests: 100,
      paused: false,
      stepDeadline: 21_600_000,
      onInconclusive: 'Hold',
      progressDeadline: 900_000,
    },
    server: {
      engine: 'Auto',
      batching: { maxBatchSize: 32, maxQueueDelay: 2, maxQueueLength: 1024 },
      limits: { maxRequestSize: 16_777_216, maxConcurrentRequests: 256, requestTimeout: 30_000 },
      warmup: { iterations: 3 },
      startupDeadline: 1_200_000,
      drain: { delay: 10_000, timeout: 30_000 },
      policyMaxAge: 300_000,
      logLevel: 'Info',
    },
    replicas: 1,
    suspend: false,
    updateStrategy: { type: 'RollingUpdate' },
    upgradePolicy: 'OnSpecChange',
    podDisruptionBudget: { mode: 'Auto' },
    networkPolicy: {},
  });
});

const accuracy = (changes: Record<string, unknown>): Record<string, unknown> => ({
  accuracy: { maxDisagreement: '1%', ...changes },
});

const bounds: readonly (readonly [
  field: string,
  accepted: readonly unknown[],
  refused: readonly unknown[],
  spec: (value: unknown) => Record<string, unknown>,
])[] = [
  [
    'accuracy.maxDisagreement',
    ['0%', '20%'],
    ['20.1%', 0.01, '0.01', ''],
    (v) => accuracy({ maxDisagreement: v }),
  ],
  ['accuracy.confidence', ['80%', '99.9%'], ['79%', '100%'], (v) => accuracy({ confidence: v })],
  ['accuracy.auditRate', ['0.1%', '100%'], ['0%', '0.09%'], (v) => accuracy({ auditRate: v })],
  [
    'accuracy.minAudits',
    [100, 1_000_000],
    [99, 1_000_001, 100.5, '100'],
    (v) => accuracy({ minAudits: v }),
  ],
  ['modelName', ['a', 'a'.repeat(63)], ['', 'A', '-a', 'a'.repeat(64)], (v) => ({ modelName: v })],
  [
    'backbone.uri',
    ['pvc://claim/path', 'file:model.onnx', 'file:///m'],
    ['model.onnx', 'ftp://x/y', '', 'https://'],
    (v) => ({ backbone: { uri: v } }),
  ],
  [
    'backbone.digest',
    [`sha256:${'0'.repeat(64)}`],
    ['sha256:0'],
    (v) => ({ backbone: { uri: 'file:m', digest: v } }),
  ],
  [
    'backbone.credentialsSecretName',
    ['a.b'],
    ['A', 'a'.repeat(254)],
    (v) => ({ backbone: { uri: 'file:m', credentialsSecretName: v } }),
  ],
  ['exitMode', ['Active', 'Shadow', 'Disabled'], ['active', false], (v) => ({ exitMode: v })],
  [
    'exits',
    [[], [{ name: 'a', tensor: 't' }]],
    [[{ name: 'a' }, { name: 'a' }], [{}], 'none'],
    (v) => ({ exits: v }),
  ],
  [
    'exits[].name',
    ['a'.repeat(32)],
    ['a'.repeat(33), 'A'],
    (v) => ({ exits: [{ name: v, tensor: 't' }] }),
  ],
  [
    'exits[].tensor',
    ['t', 't'.repeat(256)],
    ['', 't'.repeat(257)],
    (v) => ({ exits: [{ name: 'a', tensor: v }] }),
  ],
  ['tuning.maxActiveExits', [1, 16], [0, 17], (v) => ({ tuning: { maxActiveExits: v } })],
  ['tuning.minSaving', ['0%', '50%'], ['51%'], (v) => ({ tuning: { minSaving: v } })],
  ['heads.historyLimit', [1, 20], [0, 21], (v) => ({ heads: { historyLimit: v } })],
  [
    'heads.training.triggers',
    [[], ['Alarm']],
    [['Alarm', 'Alarm'], ['x']],
    (v) => ({ heads: { training: { triggers: v } } }),
  ],
  [
    'heads.training.student',
    ['Off', 'Auto'],
    ['On', true],
    (v) => ({ heads: { training: { student: v } } }),
  ],
  [
    'heads.training.inputs.retention',
    ['1m', '24h'],
    ['59s', '25h'],
    (v) => ({ heads: { training: { inputs: { retention: v } } } }),
  ],
  [
    'heads.training.cooldown',
    ['1m', '168h'],
    ['59s', '169h', 60],
    (v) => ({ heads: { training: { cooldown: v } } }),
  ],
  [
    'heads.store.s3.uri',
    ['s3://a/b'],
    ['https://a'],
    (v) => ({ heads: { store: { s3: { uri: v } } } }),
  ],
  [
    'rollout.steps',
    [[{ share: '100%' }]],
    [[], Array.from({ length: 11 }, () => ({ share: '1%' }))],
    (v) => ({ rollout: { steps: v } }),
  ],
  [
    'rollout.steps[].hold',
    ['0s', '168h'],
    ['169h'],
    (v) => ({ rollout: { steps: [{ share: '100%', hold: v }] } }),
  ],
  [
    'rollout.checks',
    [[], [{ type: 'Saving', maxRegression: '1%' }]],
    [
      [{ type: 'Saving' }],
      Array.from({ length: 2 }, () => ({ type: 'Saving', maxRegression: '1%' })),
    ],
    (v) => ({ rollout: { checks: v } }),
  ],
  [
    'rollout.stickyHeader',
    ['x-tenant'],
    ['x tenant', ''],
    (v) => ({ rollout: { stickyHeader: v } }),
  ],
  [
    'server.batching.maxBatchSize',
    [1, 1024],
    [0, 1025],
    (v) => ({ server: { batching: { maxBatchSize: v } } }),
  ],
  [
    'server.batching.maxQueueDelay',
    ['0s', '1s'],
    ['1001ms'],
    (v) => ({ server: { batching: { maxQueueDelay: v } } }),
  ],
  [
    'server.limits.maxRequestSize',
    ['1024Mi', '100'],
    ['1M', 100],
    (v) => ({ server: { limits: { maxRequestSize: v } } }),
  ],
  [
    'server.limits.requestTimeout',
    ['10ms', '10m'],
    ['9ms', '11m'],
    (v) => ({ server: { limits: { requestTimeout: v } } }),
  ],
  ['server.policyMaxAge', ['30s', '24h'], ['29s'], (v) => ({ server: { policyMaxAge: v } })],
  ['replicas', [0, 1000], [-1, 1001, '1'], (v) => ({ replicas: v })],
  [
    'pod.labels',
    [{ a: 'b' }],
    [{ a: 1 }, Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, 'v']))],
    (v) => ({ pod: { labels: v } }),
  ],
  [
    'updateStrategy.maxSurge',
    [0, '25%'],
    ['25', -1, '101%'],
    (v) => ({ updateStrategy: { maxSurge: v } }),
  ],
  ['unknown fields', [], [1], (v) => ({ unknown: v })],
];

test.each(bounds)('%s keeps its bounds', (_field, accepted, refused, spec) => {
  for (const value of accepted) expect(isAccepted(spec(value)), JSON.stringify(value)).toBe(true);
  for (const value of refused) expect(isAccepted(spec(value)), JSON.stringify(value)).toBe(false);
});

test('Kubernetes types are open and pass through unchanged', () => {
  const limits = { 'nvidia.com/gpu': 1, memory: '12Gi' };
  expect(aService({ pod: { resources: { limits } } }).spec.pod?.resources).toEqual({ limits });
});
