import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { CONFIG_VARIABLES, loadConfig } from '../../../operator/config.ts';

const NEEDED = {
  LAYERCACHE_NAMESPACE: 'layercache-system',
  LAYERCACHE_SERVER_IMAGE: 'registry.example.com/server:1.2.3',
};

function load(more: Record<string, string> = {}) {
  const result = loadConfig({ ...NEEDED, ...more });
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.value;
}

function problemsOf(more: Record<string, string | undefined>): readonly string[] {
  const result = loadConfig({ ...NEEDED, ...more });
  return result.ok ? [] : result.problems;
}

test('defaults are complete and in base units', () => {
  expect(load()).toEqual({
    kubeconfig: null,
    podName: hostname(),
    installation: {
      namespace: 'layercache-system',
      release: 'layercache',
      operatorLabels: {
        'app.kubernetes.io/name': 'layercache-operator',
        'app.kubernetes.io/instance': 'layercache',
      },
      monitoringNamespace: null,
    },
    defaults: {
      template: {
        image: 'registry.example.com/server:1.2.3',
        gpuImage: null,
        tensorflowImage: null,
        tensorflowGpuImage: null,
        imagePullPolicy: 'IfNotPresent',
        imagePullSecretNames: [],
        resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } },
        store: null,
        allowedHosts: [],
      },
      networkPolicy: 'Disabled',
    },
    watchNamespaces: [],
    lease: {
      name: 'layercache-operator',
      leaseMs: 15_000,
      renewDeadlineMs: 10_000,
      retryMs: 2_000,
    },
    shards: 1,
    concurrency: 4,
    apiBudget: { perSecond: 20, burst: 30 },
    metricsPort: 9090,
    serviceMetrics: 'Full',
    bindHost: '',
    shutdownTimeoutMs: 20_000,
    logLevel: 'info',
  });
});

test('every variable is read', () => {
  expect(
    load({
      LAYERCACHE_KUBECONFIG: '/k',
      LAYERCACHE_POD_NAME: 'operator-0',
      LAYERCACHE_RELEASE: 'prod',
      LAYERCACHE_OPERATOR_LABELS: 'app=operator, example.com/team=ml',
      LAYERCACHE_WATCH_NAMESPACES: 'ml,vision',
      LAYERCACHE_MONITORING_NAMESPACE: 'monitoring',
      LAYERCACHE_LEASE_NAME: 'other',
      LAYERCACHE_LEASE_DURATION: '1m',
      LAYERCACHE_LEASE_RENEW_DEADLINE: '30s',
      LAYERCACHE_LEASE_RETRY_PERIOD: '500ms',
      LAYERCACHE_SHARDS: '3',
      LAYERCACHE_CONCURRENCY: '16',
      LAYERCACHE_API_RATE: '50',
      LAYERCACHE_API_BURST: '100',
      LAYERCACHE_METRICS_PORT: '0',
      LAYERCACHE_SERVICE_METRICS: 'Conditions',
      LAYERCACHE_BIND_HOST: '127.0.0.1',
      LAYERCACHE_SHUTDOWN_TIMEOUT: '5s',
      LAYERCACHE_SERVER_GPU_IMAGE: 'registry.example.com/server-gpu:1.2.3',
      LAYERCACHE_SERVER_TENSORFLOW_IMAGE: 'registry.example.com/server-tensorflow:1.2.3',
      LAYERCACHE_SERVER_TENSORFLOW_GPU_IMAGE: 'registry.example.com/server-tensorflow-gpu:1.2.3',
      LAYERCACHE_SERVER_IMAGE_PULL_POLICY: 'Always',
      LAYERCACHE_SERVER_IMAGE_PULL_SECRETS: 'registry',
      LAYERCACHE_SERVER_RESOURCES: '{"limits":{"memory":"4Gi"}}',
      LAYERCACHE_SERVER_ALLOWED_HOSTS: 'models.internal:8443,*.example.com',
      LAYERCACHE_SERVER_NETWORK_POLICY: 'Enabled',
      LAYERCACHE_LOG_LEVEL: 'debug',
    }),
  ).toEqual({
    kubeconfig: '/k',
    podName: 'operator-0',
    installation: {
      namespace: 'layercache-system',
      release: 'prod',
      operatorLabels: { app: 'operator', 'example.com/team': 'ml' },
      monitoringNamespace: 'monitoring',
    },
    defaults: {
      template: {
        image: 'registry.example.com/server:1.2.3',
        gpuImage: 'registry.example.com/server-gpu:1.2.3',
        tensorflowImage: 'registry.example.com/server-tensorflow:1.2.3',
        tensorflowGpuImage: 'registry.example.com/server-tensorflow-gpu:1.2.3',
        imagePullPolicy: 'Always',
        imagePullSecretNames: ['registry'],
        resources: { limits: { memory: '4Gi' } },
        store: null,
        allowedHosts: ['models.internal:8443', '*.example.com'],
      },
      networkPolicy: 'Enabled',
    },
    watchNamespaces: ['ml', 'vision'],
    lease: { name: 'other', leaseMs: 60_000, renewDeadlineMs: 30_000, retryMs: 500 },
    shards: 3,
    concurrency: 16,
    apiBudget: { perSecond: 50, burst: 100 },
    metricsPort: 0,
    serviceMetrics: 'Conditions',
    bindHost: '127.0.0.1',
    shutdownTimeoutMs: 5_000,
    logLevel: 'debug',
  });
});

test('a store of the installation has its Secrets and its CA by name; without one they have no effect', () => {
  expect(
    load({ LAYERCACHE_HEAD_STORE: 'oci://registry.example.com/heads' }).defaults,
  ).toMatchObject({
    template: { store: { uri: 'oci://registry.example.com/heads' } },
  });
  const access = {
    LAYERCACHE_HEAD_STORE_PULL_SECRET: 'read',
    LAYERCACHE_HEAD_STORE_PUSH_SECRET: 'write',
    LAYERCACHE_HEAD_STORE_CA_BUNDLE: 'ca',
  };
  expect(load({ LAYERCACHE_HEAD_STORE: 's3://heads/all', ...access }).defaults).toMatchObject({
    pushSecretName: 'write',
    template: {
      store: { uri: 's3://heads/all', pullSecretName: 'read', caBundleConfigMapName: 'ca' },
    },
  });
  expect(problemsOf(access)).toEqual(
    Object.entries(access).map(
      ([name, value]) =>
        `${name} is "${value}" and has no effect without LAYERCACHE_HEAD_STORE: set that too or remove this.`,
    ),
  );
});

test('an empty value is the same as none, since a pod template may set either', () => {
  const empty = Object.fromEntries(
    CONFIG_VARIABLES.map((name) => [`LAYERCACHE_${name}`, '']).filter(
      ([name]) => !(String(name) in NEEDED),
    ),
  ) as Record<string, string>;
  expect(load(empty)).toEqual(load());
});

test.each([
  ['NAMESPACE', 'A', '"A" and must be the name of a namespace.'],
  ['SERVER_IMAGE', 'a b', '"a b" and must be an image, for example registry'],
  ['RELEASE', '-x', '"-x" and must be the name of an object.'],
  ['OPERATOR_LABELS', 'a=b,c', 'holds "c", which must be a label as key=value.'],
  ['LEASE_DURATION', '15', '"15" and must be a duration such as 500ms, 30s or 1m30s.'],
  [
    'LEASE_RENEW_DEADLINE',
    '2s',
    '"2s" and must be longer than 1.2 times LAYERCACHE_LEASE_RETRY_PERIOD.',
  ],
  ['SHARDS', '9', '"9" and must be from 1 to 8.'],
  ['CONCURRENCY', '65', '"65" and must be from 1 to 64.'],
  ['API_RATE', '0', '"0" and must be from 1 to 10000.'],
  ['METRICS_PORT', '70000', '"70000" and must be from 0 to 65535.'],
  ['SERVER_RESOURCES', '[]', '"[]" and must be a JSON object.'],
  ['SERVER_RESOURCES', '{', '"{" and must be a JSON object.'],
  ['SERVER_IMAGE_PULL_POLICY', 'always', '"always" and must be Always, IfNotPresent or Never.'],
  ['SERVER_ALLOWED_HOSTS', 'https://x', 'holds "https://x", which must be a host, *.suffix'],
  ['HEAD_STORE', 'minio', '"minio" and must be s3://BUCKET/PATH or oci://REGISTRY/REPOSITORY.'],
  ['HEAD_STORE', 'oci://r.example/h:1', 'must be s3://BUCKET/PATH or oci://REGISTRY/REPOSITORY.'],
  ['LOG_LEVEL', 'trace', '"trace" and must be debug, info, warn, error or silent.'],
])('LAYERCACHE_%s=%s is told with its fix', (name, value, sentence) => {
  const [problem = '', ...more] = problemsOf({ [`LAYERCACHE_${name}`]: value });
  expect(more).toEqual([]);
  expect(problem).toContain(`LAYERCACHE_${name} is "`);
  expect(problem.replaceAll('\\"', '"')).toContain(sentence);
});

test('a rule of the election is told beside other problems', () => {
  expect(
    problemsOf({ LAYERCACHE_SERVER_IMAGE: undefined, LAYERCACHE_LEASE_DURATION: '10s' }),
  ).toEqual([
    'LAYERCACHE_SERVER_IMAGE is missing; set it to the image of the model server.',
    'LAYERCACHE_LEASE_DURATION is "10s" and must be longer than LAYERCACHE_LEASE_RENEW_DEADLINE.',
  ]);
});

test('the table of the README names every variable, and no other', () => {
  const readme = readFileSync(new URL('../../../operator/README.md', import.meta.url), 'utf8');
  const table = readme.split('| `LAYERCACHE_` | default | meaning |')[1]!.split('\n\n')[0]!;
  const named = [...table.matchAll(/^\| (`[A-Z_` ]+`) \|/gm)].flatMap((row) =>
    row[1]!.split(' ').map((name) => name.replaceAll('`', '')),
  );
  expect(named.toSorted()).toEqual(CONFIG_VARIABLES.toSorted());
});
