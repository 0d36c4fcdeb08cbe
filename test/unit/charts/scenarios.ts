// The installations that every rendering test goes through.

export const MONITORING = ['monitoring.coreos.com/v1', 'grafana.integreatly.org/v1beta1'];
/** Kinds of these groups that the chart may make. */
export const KINDS_OF_MONITORING: readonly string[] = [
  'PodMonitor',
  'ServiceMonitor',
  'PrometheusRule',
  'GrafanaDashboard',
];
export const KUBE_VERSIONS = ['1.29.0', '1.33.0', '1.36.0'];

const admissionPolicies = {
  protectState: true,
  imagePrefix: 'registry.example.com/',
  forbidPodOverrides: true,
  maxDisagreement: '2%',
  protectCrds: true,
};

/** Everything that can be switched on at once. */
const allOn = {
  global: { imagePullSecrets: { registry: true, old: false } },
  commonLabels: { team: 'ml' },
  commonAnnotations: { 'example.com/owner': 'ml@example.com' },
  crds: { annotations: { 'example.com/note': 'kept' } },
  networkPolicy: {
    enabled: true,
    apiServerCidrs: { '10.0.0.1/32': true, '10.0.0.2/32': true },
    monitoringNamespace: 'monitoring',
  },
  serviceAccount: { annotations: { 'example.com/identity': 'operator' } },
  operator: {
    replicas: 2,
    log: 'debug',
    extraEnv: {
      HTTPS_PROXY: 'http://proxy:3128',
      NODE_NAME: { valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    },
    podLabels: { 'example.com/cost': 'shared' },
    podAnnotations: { 'example.com/mesh': 'off' },
    nodeSelector: { pool: 'system' },
    tolerations: { system: { key: 'system', operator: 'Exists' } },
    priorityClassName: 'system-cluster-critical',
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 1,
            preference: { matchExpressions: [{ key: 'spot', operator: 'DoesNotExist' }] },
          },
        ],
      },
    },
  },
  server: { defaults: { networkPolicy: 'Enabled', allowedHosts: { 'minio.ml.svc:9000': true } } },
  metrics: { podMonitor: { enabled: true, labels: { release: 'prometheus' } } },
  dashboards: { enabled: true, grafanaOperator: { enabled: true } },
  alerts: { enabled: true, alertLabels: { team: 'ml' } },
  extraObjects: {
    note: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: '{{ .Release.Name }}-note' },
      data: { text: 'more' },
    },
  },
};

/** Everything that can be switched off. */
const allOff = {
  crds: { install: false },
  rbac: { create: false, aggregate: false },
  serviceAccount: { create: false, name: 'given' },
  operator: { pdb: { enabled: false } },
  trainer: { enabled: false },
  metrics: { annotations: false, perService: 'Off' },
  tests: { enabled: false },
};

const namespaced = {
  rbac: { scope: 'Namespaced' },
  watchNamespaces: { ml: true, vision: true, retired: false },
};

const highlyAvailable = {
  operator: { replicas: 2, resources: { limits: { memory: '1Gi' } } },
  networkPolicy: { enabled: true },
};

const gpu = {
  server: {
    gpuImage: { tag: '0.1.0-cuda12' },
    defaults: { resources: { requests: { cpu: '2' }, limits: { memory: '16Gi' } } },
  },
};

const airGap = {
  global: { imageRegistry: 'registry.internal:5000/mirror', imagePullSecrets: { mirror: true } },
  operator: { image: { digest: `sha256:${'a'.repeat(64)}` } },
};

const s3 = {
  server: { defaults: { allowedHosts: { 'minio.storage.svc:9000': true } } },
  operator: { extraEnv: { LAYERCACHE_API_RATE: '50' } },
};

export const SCENARIOS: Readonly<Record<string, object>> = {
  ...{ defaults: {}, 'all on': allOn, 'all off': allOff, namespaced },
  ...{ HA: highlyAvailable, GPU: gpu, 'air gap': airGap, S3: s3 },
};

/** What a version of Kubernetes can hold. */
export function valuesFor(scenario: string, kubeVersion: string): object {
  const values = SCENARIOS[scenario] ?? {};
  return scenario === 'all on' && kubeVersion !== '1.29.0'
    ? { ...values, admissionPolicies }
    : values;
}
