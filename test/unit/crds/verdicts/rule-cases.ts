/** A manifest by what differs from the smallest one. */
export interface CaseManifest {
  readonly spec?: Spec;
  readonly name?: string;
}

/** A rule by its message, with manifests that break it and manifests that keep it. */
export type RuleCase = readonly [
  message: string,
  broken: readonly CaseManifest[],
  sound: readonly CaseManifest[],
];

type Spec = Record<string, unknown>;

const gpu = { resources: { limits: { 'nvidia.com/gpu': 1, cpu: 1 } } };
const pinned = `sha256:${'0'.repeat(64)}`;
const companion = (name: string): Spec => ({ name, model: { uri: 'https://m.example.com/x' } });

const frames = (name: string): Spec => ({ name, tensor: 't', sourceHeader: 'x-camera' });
const DETECTOR: Spec = { uri: 'https://models.example.com/a.onnx', task: 'Detection' };

const companionOf = (model: Spec): Spec => ({
  exits: [{ name: 'a', model: { uri: 'https://m.example.com/x', ...model } }],
});
const shares = (...steps: string[]): Spec => ({
  rollout: { steps: steps.map((share) => ({ share })) },
});

/** What each engine runs. */
const RUNS: Readonly<Record<string, readonly string[]>> = {
  Auto: ['ONNX', 'TFJSGraphModel', 'TFJSLayersModel', 'SavedModel'],
  ONNX: ['ONNX'],
  TFJSGPU: ['TFJSGraphModel', 'TFJSLayersModel', 'SavedModel'],
  TFJSNode: ['TFJSGraphModel', 'TFJSLayersModel', 'SavedModel'],
  TFJSWASM: ['TFJSGraphModel', 'TFJSLayersModel'],
  TFJSCPU: ['TFJSGraphModel', 'TFJSLayersModel'],
};

/** Each engine with each format that it runs, or does not run, as backbone and as companion. */
function enginesAndFormats(isRunning: boolean): Spec[] {
  return Object.entries(RUNS).flatMap(([engine, formats]) =>
    (RUNS.Auto ?? [])
      .filter((format) => formats.includes(format) === isRunning)
      .flatMap((format) => [
        { server: { engine }, pod: gpu, backbone: { uri: 'file:m', format } },
        { server: { engine }, pod: gpu, ...companionOf({ format }) },
      ]),
  );
}

type SpecCase = readonly [message: string, broken: readonly Spec[], sound: readonly Spec[]];

// Messages are those of api.md 4.
const specCases: readonly SpecCase[] = [
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
      { autoscaling: { maxReplicas: 3 }, pod: { resourceClaims: [] } },
    ],
  ],
  [
    'engine TFJSGPU needs a GPU: add an extended resource to pod.resources.limits or a pod.resourceClaims entry',
    [
      { server: { engine: 'TFJSGPU' } },
      { server: { engine: 'TFJSGPU' }, pod: { resourceClaims: [] } },
      { server: { engine: 'TFJSGPU' }, pod: { nodeSelector: {} } },
      { server: { engine: 'TFJSGPU' }, pod: { resources: { requests: { cpu: 1 } } } },
      { server: { engine: 'TFJSGPU' }, pod: { resources: { limits: { memory: '1Gi' } } } },
    ],
    [
      { server: { engine: 'TFJSGPU' }, pod: gpu },
      { server: { engine: 'TFJSGPU' }, pod: { resourceClaims: [{ name: 'gpu' }] } },
    ],
  ],
  [
    'engine ONNX runs ONNX models only, TFJS engines run the other formats, SavedModel needs TFJSGPU or TFJSNode: change server.engine or use Auto',
    [
      ...enginesAndFormats(false),
      {
        server: { engine: 'ONNX' },
        exits: [
          { name: 'late', tensor: 't' },
          { name: 'a', model: { uri: 'https://m.example.com/x', format: 'SavedModel' } },
        ],
      },
    ],
    [
      ...enginesAndFormats(true),
      { server: { engine: 'ONNX' } },
      { server: { engine: 'ONNX' }, exits: [] },
      { server: { engine: 'ONNX' }, exits: [{ name: 'late', tensor: 't' }, companion('a')] },
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
    [
      { backbone: { uri: 's3://a/b', credentialsSecretName: 's' } },
      { backbone: { uri: 'pvc://a/b' } },
      companionOf({ credentialsSecretName: 's' }),
      companionOf({ uri: 'file:m' }),
    ],
  ],
  [
    'http:// needs digest: add the sha256 or use https://',
    [{ backbone: { uri: 'http://a/b' } }, companionOf({ uri: 'http://a/b' })],
    [
      { backbone: { uri: 'http://a/b', digest: pinned } },
      companionOf({ uri: 'http://a/b', digest: pinned }),
    ],
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
    'the name student is reserved for what heads.training.student makes: choose another',
    [{ exits: [{ name: 'student', tensor: 't' }] }],
    [],
  ],
  [
    'agreement F1 compares the boxes of a detector: set backbone.task to Detection, or accuracy.agreement to Strict',
    [
      { accuracy: { maxDisagreement: '2%', agreement: 'F1' } },
      {
        accuracy: { maxDisagreement: '2%', agreement: 'F1' },
        backbone: { uri: 'https://models.example.com/a.onnx', task: 'Classification' },
      },
    ],
    [
      { accuracy: { maxDisagreement: '2%', agreement: 'Strict' } },
      {
        accuracy: { maxDisagreement: '2%', agreement: 'F1' },
        backbone: { uri: 'https://models.example.com/a.onnx', task: 'Detection' },
      },
    ],
  ],
  [
    'sourceHeader compares frames of a detector: set backbone.task to Detection, or remove sourceHeader',
    [
      { exits: [frames('a')] },
      {
        exits: [{ name: 'late', tensor: 'u' }, frames('a')],
        backbone: { uri: 'https://models.example.com/a.onnx', task: 'Classification' },
      },
    ],
    [{ exits: [frames('a')], backbone: DETECTOR }, { exits: [{ name: 'late', tensor: 'u' }] }],
  ],
  [
    'a companion compares no frames: name a tensor, or remove sourceHeader',
    [{ exits: [{ ...companion('a'), sourceHeader: 'x-camera' }], backbone: DETECTOR }],
    [],
  ],
  [
    'at most one exit compares frames: remove sourceHeader from the others',
    [{ exits: [frames('a'), { ...frames('b'), tensor: 'u' }], backbone: DETECTOR }],
    [{ exits: [frames('a'), { name: 'b', tensor: 'u' }], backbone: DETECTOR }],
  ],
  [
    'a student runs on engine ONNX: set server.engine to ONNX or Auto, or heads.training.student to Off',
    [{ heads: { training: { student: 'Auto' } }, server: { engine: 'TFJSWASM' } }],
    [
      { heads: { training: { student: 'Auto' } } },
      { heads: { training: { student: 'Auto' } }, server: { engine: 'ONNX' } },
    ],
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
    [
      shares('50%', '50%', '100%'),
      shares('5%', '5%', '100%'),
      shares('1.5%', '1.5%', '100%'),
      shares('10%', '9.9999%', '100%'),
      shares('1%', '2%', '3%', '4%', '5%', '6%', '7%', '8%', '100%', '9%'),
      shares('100%', '100%'),
    ],
    [
      shares('50%', '100%'),
      shares('9%', '10%', '100%'),
      shares('0.1%', '0.1001%', '99.9999%', '100%'),
      shares('1%', '2%', '3%', '4%', '5%', '6%', '7%', '8%', '9%', '100%'),
    ],
  ],
  [
    'the last step must be 100%',
    [shares('50%'), shares('99.9999%'), shares('100%', '50%')],
    [shares('100%')],
  ],
  [
    'maxQueueLength must be at least maxBatchSize',
    [{ server: { batching: { maxBatchSize: 64, maxQueueLength: 63 } } }],
    [{ server: { batching: { maxBatchSize: 64, maxQueueLength: 64 } } }],
  ],
  [
    'must be at most 1024Mi',
    [
      { server: { limits: { maxRequestSize: '1025Mi' } } },
      { heads: { training: { inputs: { maxSize: '2Gi' } } } },
    ],
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
    ([0, '0%'] as const).flatMap((maxSurge) =>
      ([0, '0%'] as const).map((maxUnavailable) => ({
        updateStrategy: { maxSurge, maxUnavailable },
      })),
    ),
    [
      { updateStrategy: { maxSurge: 0 } },
      { updateStrategy: { maxUnavailable: '0%' } },
      { updateStrategy: { maxSurge: 0, maxUnavailable: 1 } },
      { updateStrategy: { maxSurge: '1%', maxUnavailable: 0 } },
    ],
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
    [
      { networkPolicy: { from: [] } },
      { networkPolicy: { egress: [] } },
      { networkPolicy: { mode: 'Disabled', from: [] } },
      { networkPolicy: { mode: 'Disabled', egress: [] } },
    ],
    [
      { networkPolicy: { mode: 'Enabled', from: [], egress: [] } },
      { networkPolicy: { mode: 'Disabled' } },
      { networkPolicy: {} },
    ],
  ],
];

function named(...names: string[]): CaseManifest[] {
  return names.map((name) => ({ name }));
}

function specs(list: readonly Spec[]): CaseManifest[] {
  return list.map((spec) => ({ spec }));
}

export const SERVICE_CASES: readonly RuleCase[] = [
  [
    'metadata.name must be at most 40 characters (child objects add suffixes)',
    named('a'.repeat(41), 'a'.repeat(63), 'a'.repeat(253)),
    named('a'.repeat(40), 'a'),
  ],
  [
    "metadata.name must start with a letter and hold only a-z, 0-9 and '-' (it becomes a Service name)",
    named('9a', 'a.b', '1.2'),
    named('a9', 'a-b', 'a'),
  ],
  ...specCases.map(([message, broken, sound]): RuleCase => [message, specs(broken), specs(sound)]),
];

const DIGEST = `sha256:${'1'.repeat(64)}`;
const bundle = (fields: Spec): Spec => ({
  bundle: { digest: DIGEST, sizeBytes: 100, ...fields },
});
const heads = (...exits: Spec[]): Spec => ({
  exits: exits.map((exit, i) => ({ name: `exit-${i}`, ...exit })),
});

const revisionSpecCases: readonly SpecCase[] = [
  [
    'set exactly one of configMapName, uri',
    [bundle({}), bundle({ configMapName: 'a', uri: 's3://a/b' })],
    [bundle({ configMapName: 'a' }), bundle({ uri: 'oci://a/b' })],
  ],
  [
    'a ConfigMap holds at most 921600 bytes: store the bundle in s3 or oci and set uri',
    [bundle({ configMapName: 'a', sizeBytes: 921_601 })],
    [
      bundle({ configMapName: 'a', sizeBytes: 921_600 }),
      bundle({ uri: 's3://a/b', sizeBytes: 921_601 }),
    ],
  ],
  [
    'pool must be 1, 2 or 4 and hidden 0, 64, 128, 256 or 1024',
    [
      heads({ tensor: 't', pool: 3, hidden: 64 }),
      heads({ tensor: 't', pool: 2, hidden: 65 }),
      heads({ tensor: 't', pool: 3 }),
    ],
    [1, 2, 4].flatMap((pool) =>
      [0, 64, 128, 256, 1024].map((hidden) => heads({ tensor: 't', pool, hidden })),
    ),
  ],
  [
    'set tensor, pool and hidden, or modelDigest alone',
    [
      heads({}),
      heads({ tensor: 't' }),
      heads({ tensor: 't', pool: 1 }),
      heads({ pool: 1, hidden: 0 }),
      heads({ tensor: 't', hidden: 0 }),
      heads({ modelDigest: DIGEST, tensor: 't' }),
      heads({ modelDigest: DIGEST, pool: 1 }),
      heads({ modelDigest: DIGEST, tensor: 't', pool: 1, hidden: 0 }),
    ],
    [heads({ modelDigest: DIGEST }, { tensor: 't', pool: 1, hidden: 0 })],
  ],
];

export const HEAD_REVISION_CASES: readonly RuleCase[] = [
  [
    'metadata.name must be at most 63 characters',
    named('a'.repeat(64)),
    named('a'.repeat(63), '9a', 'a.b'),
  ],
  ...revisionSpecCases.map(([message, broken, sound]): RuleCase => [
    message,
    specs(broken),
    specs(sound),
  ]),
];
