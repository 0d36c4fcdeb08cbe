// Fields of a spec that a person sets, changes and takes out again, with what each of them is then.
type Fields = Readonly<Record<string, unknown>>;

export interface OptionalField {
  /** `block.field`, or a field of the spec itself. */
  readonly path: string;
  /** What it is set to, and then changed to. */
  readonly values: readonly [unknown, unknown];
}

/** The spec with the field at that value; undefined takes it out, and its block with it when nothing else is left there. */
export function withField(spec: Fields, path: string, value: unknown): Fields {
  const [name = '', ...rest] = path.split('.');
  const { [name]: before, ...others } = spec;
  if (rest.length === 0) return value === undefined ? others : { ...others, [name]: value };
  const block = withField((before ?? {}) as Fields, rest.join('.'), value);
  return Object.keys(block).length === 0 ? others : { ...others, [name]: block };
}

const field = (path: string, ...values: readonly [unknown, unknown]): OptionalField => ({
  path,
  values,
});
const limits = (count: number): object => ({ limits: { 'nvidia.com/gpu': count, memory: '2Gi' } });
const container = (env: string): object => ({
  spec: { containers: [{ name: 'server', env: [{ name: 'A', value: env }] }] },
});
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** One of every kind of block; each is at its default again once it is out. */
export const OPTIONAL_FIELDS: readonly OptionalField[] = [
  field('backbone.format', 'ONNX', 'TFJSGraphModel'),
  field('backbone.digest', digest('1'), digest('2')),
  field('backbone.outputName', 'logits', 'scores'),
  field('backbone.credentialsSecretName', 'read', 'read-too'),
  field('accuracy.auditRate', '5%', '7%'),
  field('accuracy.confidence', '90%', '99%'),
  field('exitMode', 'Shadow', 'Disabled'),
  field(
    'exits',
    [{ name: 'early', tensor: 'a' }],
    [
      { name: 'late', tensor: 'b', mode: 'Shadow' },
      { name: 'early', tensor: 'a' },
    ],
  ),
  field('heads.historyLimit', 2, 3),
  field('heads.revision', 'mine', 'other'),
  field('heads.training.mode', 'Off', 'Auto'),
  field('server.image', 'r.example/server:2', 'r.example/server:3'),
  field('server.batching', { maxBatchSize: 8 }, { maxBatchSize: 16 }),
  field('server.limits', { maxRequestSize: '1Mi' }, { requestTimeout: '1s' }),
  field('server.drain', { delay: '1s' }, { delay: '2s', timeout: '9s' }),
  field('server.startupDeadline', '3m', '4m'),
  field('server.policyMaxAge', '1m', '2m'),
  field('server.logLevel', 'Debug', 'Warn'),
  field('replicas', 3, 2),
  field('suspend', true, false),
  field('autoscaling', { maxReplicas: 3 }, { minReplicas: 2, maxReplicas: 4 }),
  field('pod.resources', limits(1), limits(2)),
  field('pod.nodeSelector', { disk: 'ssd' }, { zone: 'a' }),
  field('pod.tolerations', [{ operator: 'Exists' }], [{ key: 'a', operator: 'Exists' }]),
  field('pod.serviceAccountName', 'mine', 'other'),
  field('pod.labels', { team: 'a' }, { team: 'b', tier: 'c' }),
  field('pod.annotations', { note: 'a' }, { note: 'b' }),
  field('podTemplate', container('1'), container('2')),
  field('updateStrategy', { type: 'Recreate' }, { maxSurge: 2, maxUnavailable: 1 }),
  field('podDisruptionBudget', { mode: 'Disabled' }, { minAvailable: 1 }),
  field('networkPolicy', { mode: 'Enabled' }, { mode: 'Disabled' }),
];
