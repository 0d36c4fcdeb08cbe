import type { CachedModelService, CachedModelServiceSpec } from './cached-model-service.ts';

/** A path inside a service, as in `['spec', 'exits', 0]`. */
export type FieldPath = readonly (string | number)[];

/** What must hold between fields (api.md 4). The texts are the ones that the API server will answer with. */
export interface ServiceRule {
  /** Where the rule stands; `[]` = at each item. */
  readonly path: string;
  readonly message: string;
  /** What to do, where the message does not say it after a colon. */
  readonly fix: string | undefined;
  /** Other fields that it looks at: when one of them is malformed, the rule says nothing. */
  readonly reads: readonly string[];
  /** Fields that break it, empty when it holds. */
  brokenAt(service: CachedModelService): readonly FieldPath[];
  holds(service: CachedModelService): boolean;
}

type Place<T> = readonly [path: FieldPath, value: T];

/** Binds a table of [message, holds] to the places where its values stand. */
function rulesAt<T>(
  path: string,
  places: (service: CachedModelService) => readonly Place<T>[],
  table: readonly (readonly [message: string, holds: (value: T) => boolean, fix?: string])[],
  reads: readonly string[] = [],
): ServiceRule[] {
  return table.map(([message, holds, fix]) => {
    const brokenAt = (service: CachedModelService): FieldPath[] =>
      places(service)
        .filter(([, value]) => !holds(value))
        .map(([place]) => place);
    return {
      path,
      message,
      fix,
      reads,
      brokenAt,
      holds: (service) => brokenAt(service).length === 0,
    };
  });
}

function optional<T>(path: FieldPath, value: T | undefined): Place<T>[] {
  return value === undefined ? [] : [[path, value]];
}

type Spec = CachedModelServiceSpec;
type Exit = NonNullable<Spec['exits']>[number];
type Model = Pick<Spec['backbone'], 'uri' | 'digest' | 'credentialsSecretName'>;

const ORDINARY_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage']);

/** True when the pods ask for anything beyond cpu, memory and disk. */
function hasAccelerator({ pod }: Spec): boolean {
  if ((pod?.resourceClaims ?? []).length > 0) return true;
  const limits = pod?.resources?.limits;
  if (typeof limits !== 'object' || limits === null) return false;
  return Object.keys(limits).some((name) => !ORDINARY_RESOURCES.has(name));
}

function canEngineRun({ server: { engine }, backbone: { format } }: Spec): boolean {
  if (engine === 'Auto' || format === undefined) return true;
  if (engine === 'ONNX' || format === 'ONNX') return engine === 'ONNX' && format === 'ONNX';
  return format !== 'SavedModel' || engine === 'TFJSGPU' || engine === 'TFJSNode';
}

function exitModels({ spec }: CachedModelService): Place<Model>[] {
  return (spec.exits ?? []).flatMap((exit, i) =>
    optional(['spec', 'exits', i, 'model'], exit.model),
  );
}

function exitItems({ spec }: CachedModelService): Place<Exit>[] {
  return (spec.exits ?? []).map((exit, i) => [['spec', 'exits', i], exit]);
}

function isUnset(value: unknown): boolean {
  return value === undefined;
}

function isZero(value: number | string | undefined): boolean {
  return value === 0 || value === '0%';
}

function areTensorsUnique(exits: readonly Exit[]): boolean {
  const tensors = exits.map((exit) => exit.tensor).filter((tensor) => tensor !== undefined);
  return new Set(tensors).size === tensors.length;
}

const modelRules = [
  [
    'credentialsSecretName has no effect with pvc:// or file://: remove it',
    (m: Model) => m.credentialsSecretName === undefined || !/^(pvc|file):/.test(m.uri),
  ],
  [
    'http:// needs digest: add the sha256 or use https://',
    (m: Model) => m.digest !== undefined || !m.uri.startsWith('http://'),
  ],
] as const;

/** Every rule between fields, in the order of api.md 4. */
export const SERVICE_RULES: readonly ServiceRule[] = [
  ...rulesAt('metadata.name', ({ metadata }) => [[['metadata', 'name'], metadata.name]], [
    [
      'metadata.name must be at most 40 characters (child objects add suffixes)',
      (name) => name.length <= 40,
      'shorten the name',
    ],
    [
      "metadata.name must start with a letter and hold only a-z, 0-9 and '-' (it becomes a Service name)",
      (name) => /^[a-z][-a-z0-9]*$/.test(name),
      'rename the service',
    ],
  ]),
  ...rulesAt(
    'spec',
    ({ spec }) => [[['spec', 'replicas'], spec]],
    [
      [
        'with autoscaling the HPA owns the count: remove replicas (to bring your own HPA or KEDA, remove autoscaling and target this object)',
        (spec) => spec.autoscaling === undefined || spec.replicas === 1,
      ],
    ],
    ['spec.autoscaling'],
  ),
  ...rulesAt(
    'spec',
    ({ spec }) => [[['spec', 'autoscaling'], spec]],
    [
      [
        'CPU says little about an accelerator pod: set autoscaling.metrics',
        (spec) =>
          spec.autoscaling === undefined ||
          spec.autoscaling.metrics !== undefined ||
          !hasAccelerator(spec),
      ],
    ],
    ['spec.pod'],
  ),
  ...rulesAt(
    'spec',
    ({ spec }) => [[['spec', 'server', 'engine'], spec]],
    [
      [
        'engine TFJSGPU needs a GPU: add an extended resource to pod.resources.limits or a pod.resourceClaims entry',
        (spec) => spec.server.engine !== 'TFJSGPU' || hasAccelerator(spec),
      ],
      [
        'engine ONNX runs ONNX models only, TFJS engines run the other formats, SavedModel needs TFJSGPU or TFJSNode: change server.engine or use Auto',
        canEngineRun,
      ],
    ],
    ['spec.pod', 'spec.backbone.format'],
  ),
  ...rulesAt(
    'spec',
    ({ spec }) => [[['spec', 'heads', 'revision'], spec]],
    [
      [
        'heads.revision has no effect with an empty exits list: remove one of them',
        (spec) => spec.heads.revision === undefined || spec.exits?.length !== 0,
      ],
    ],
    ['spec.exits'],
  ),
  ...rulesAt<Model>(
    'spec.backbone',
    ({ spec }) => [[['spec', 'backbone'], spec.backbone]],
    modelRules,
  ),
  ...rulesAt<Model>('spec.exits[].model', exitModels, modelRules),
  ...rulesAt('spec.exits[]', exitItems, [
    [
      'set exactly one of tensor, model',
      (exit) => (exit.tensor === undefined) !== (exit.model === undefined),
      'name a tensor that `layercache inspect MODEL` lists',
    ],
    ['the name backbone is reserved: choose another', (exit) => exit.name !== 'backbone'],
  ]),
  ...rulesAt('spec.exits', ({ spec }) => optional(['spec', 'exits'], spec.exits), [
    ['two exits name the same tensor: keep one', areTensorsUnique],
    [
      'at most 2 exits can be companion models: remove one',
      (exits) => exits.filter((exit) => exit.model !== undefined).length <= 2,
    ],
  ]),
  ...rulesAt(
    'spec.heads.store',
    ({ spec }) => optional(['spec', 'heads', 'store'], spec.heads.store),
    [
      [
        'set exactly one of configMap, s3, oci',
        ({ configMap, s3, oci }) =>
          [configMap, s3, oci].filter((kind) => !isUnset(kind)).length === 1,
        'keep one of them',
      ],
    ],
  ),
  ...rulesAt(
    'spec.rollout.steps',
    ({ spec }) => optional(['spec', 'rollout', 'steps'], spec.rollout.steps),
    [
      [
        'shares must rise from step to step',
        (steps) => steps.every((step, i) => step.share > (steps[i - 1]?.share ?? 0)),
        'sort the steps by share',
      ],
      ['the last step must be 100%', (steps) => steps.at(-1)?.share === 1, 'end with share: 100%'],
    ],
  ),
  ...rulesAt(
    'spec.server.batching',
    ({ spec }) => [[['spec', 'server', 'batching'], spec.server.batching]],
    [
      [
        'maxQueueLength must be at least maxBatchSize',
        (batching) => batching.maxQueueLength >= batching.maxBatchSize,
        'raise maxQueueLength or lower maxBatchSize',
      ],
    ],
  ),
  ...rulesAt(
    'spec.server.limits.maxRequestSize',
    ({ spec }) => [
      [['spec', 'server', 'limits', 'maxRequestSize'], spec.server.limits.maxRequestSize],
    ],
    [['must be at most 1024Mi', (bytes) => bytes <= 2 ** 30, 'write a smaller size']],
  ),
  ...rulesAt(
    'spec.autoscaling',
    ({ spec }) => optional(['spec', 'autoscaling'], spec.autoscaling),
    [
      [
        'minReplicas must not be above maxReplicas',
        (autoscaling) => autoscaling.minReplicas <= autoscaling.maxReplicas,
        'raise maxReplicas or lower minReplicas',
      ],
    ],
  ),
  ...rulesAt(
    'spec.updateStrategy',
    ({ spec }) => [[['spec', 'updateStrategy'], spec.updateStrategy]],
    [
      [
        'maxSurge and maxUnavailable have no effect with Recreate: remove them',
        (s) => s.type !== 'Recreate' || (isUnset(s.maxSurge) && isUnset(s.maxUnavailable)),
      ],
      [
        'maxSurge and maxUnavailable cannot both be 0',
        (s) => !(isZero(s.maxSurge) && isZero(s.maxUnavailable)),
        'raise one of them',
      ],
    ],
  ),
  ...rulesAt(
    'spec.podDisruptionBudget',
    ({ spec }) => [[['spec', 'podDisruptionBudget'], spec.podDisruptionBudget]],
    [
      [
        'set only one of minAvailable, maxUnavailable',
        (budget) => isUnset(budget.minAvailable) || isUnset(budget.maxUnavailable),
        'remove one of them',
      ],
      [
        'minAvailable and maxUnavailable have no effect with mode Disabled: remove them',
        (budget) =>
          budget.mode !== 'Disabled' ||
          (isUnset(budget.minAvailable) && isUnset(budget.maxUnavailable)),
      ],
    ],
  ),
  ...rulesAt(
    'spec.networkPolicy',
    ({ spec }) => [[['spec', 'networkPolicy'], spec.networkPolicy]],
    [
      [
        'from and egress have no effect unless mode is Enabled: remove them or set it',
        (policy) => policy.mode === 'Enabled' || (isUnset(policy.from) && isUnset(policy.egress)),
      ],
    ],
  ),
];

/** What a service must be for local mode: one machine, no cluster, the engine `onnx`. */
export const LOCAL_RULES: readonly ServiceRule[] = [
  ...rulesAt(
    'spec.backbone.uri',
    ({ spec }) => [[['spec', 'backbone', 'uri'], spec.backbone.uri]],
    [
      [
        'local mode reads models from files: write file:PATH, relative to the manifest',
        (uri) => uri.startsWith('file:'),
      ],
    ],
  ),
  ...rulesAt('spec.exits[].model', exitModels, [
    ['local mode does not run companion models: remove this exit or name a tensor', () => false],
  ]),
  ...rulesAt(
    'spec.server.engine',
    ({ spec }) => [[['spec', 'server', 'engine'], spec.server.engine]],
    [
      [
        'local mode runs ONNX models: set server.engine to Auto or ONNX',
        (engine) => engine === 'Auto' || engine === 'ONNX',
      ],
    ],
  ),
];
