import { hostname } from 'node:os';
import { z } from 'zod';
import * as fields from './config-fields.ts';
import { storeSchema, toPushSecret, toStore, type StoreVariables } from './config-store.ts';
import type { ServiceDetail } from './metrics.ts';
import type { Installation, ServiceDefaults } from './plan/defaults.ts';
import { MAX_SHARDS } from './plan/lease-names.ts';

/** Complete, frozen settings in base units; nobody inside meets `undefined`. */
export interface OperatorConfig {
  /** File with the way to the API server; null: as a pod, by its own account. */
  readonly kubeconfig: string | null;
  readonly podName: string;
  readonly installation: Installation;
  readonly defaults: ServiceDefaults;
  /** Empty: all. */
  readonly watchNamespaces: readonly string[];
  readonly lease: {
    readonly name: string;
    readonly leaseMs: number;
    readonly renewDeadlineMs: number;
    readonly retryMs: number;
  };
  /** Among how many leaders namespaces are divided. */
  readonly shards: number;
  /** Passes at once, in each controller. */
  readonly concurrency: number;
  readonly apiBudget: { readonly perSecond: number; readonly burst: number };
  readonly metricsPort: number;
  /** How much `/metrics` shows of each service. */
  readonly serviceMetrics: ServiceDetail;
  /** Empty: every address of the machine. */
  readonly bindHost: string;
  /** Passes at work get this long to end. */
  readonly shutdownTimeoutMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

const PREFIX = 'LAYERCACHE_';
const JITTER = 1.2;

const schema = z.object({
  KUBECONFIG: fields.optionalText,
  NAMESPACE: fields.namespace,
  POD_NAME: fields.objectName,
  RELEASE: fields.objectName,
  OPERATOR_LABELS: fields.labels,
  WATCH_NAMESPACES: fields.namespaces,
  MONITORING_NAMESPACE: fields.optionalNamespace,
  LEASE_NAME: fields.objectName,
  SHARDS: fields.wholeNumber(1, { min: 1, max: MAX_SHARDS }),
  CONCURRENCY: fields.wholeNumber(4, { min: 1, max: 64 }),
  API_RATE: fields.wholeNumber(20, { min: 1, max: 10_000 }),
  API_BURST: fields.wholeNumber(30, { min: 1, max: 10_000 }),
  METRICS_PORT: fields.wholeNumber(9090, { min: 0, max: 65_535 }),
  SERVICE_METRICS: fields.choice(['Full', 'Conditions', 'Off'], 'Full'),
  BIND_HOST: fields.optionalText,
  SHUTDOWN_TIMEOUT: fields.duration('20s'),
  SERVER_IMAGE: z
    .string({ error: 'is missing; set it to the image of the model server' })
    .regex(/^[^\s]{1,512}$/, 'must be an image, for example registry.example.com/server:1.2.3'),
  SERVER_GPU_IMAGE: fields.optionalText,
  SERVER_TENSORFLOW_IMAGE: fields.optionalText,
  SERVER_TENSORFLOW_GPU_IMAGE: fields.optionalText,
  SERVER_IMAGE_PULL_POLICY: fields.choice(['Always', 'IfNotPresent', 'Never'], 'IfNotPresent'),
  SERVER_IMAGE_PULL_SECRETS: fields.objectNames,
  SERVER_RESOURCES: fields.jsonObject(
    '{"requests":{"cpu":"500m","memory":"1Gi"},"limits":{"memory":"2Gi"}}',
  ),
  SERVER_ALLOWED_HOSTS: fields.hosts,
  SERVER_NETWORK_POLICY: fields.choice(['Enabled', 'Disabled'], 'Disabled'),
  TRAINER_IMAGE: fields.optionalText,
  TRAINER_RESOURCES: fields.jsonObject(
    '{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"memory":"4Gi"}}',
  ),
  LOG_LEVEL: fields.choice(['debug', 'info', 'warn', 'error', 'silent'], 'info'),
});

/** Apart, so that its rules are told also when other variables are wrong. */
const leaseSchema = z
  .object({
    LEASE_DURATION: fields.duration('15s'),
    LEASE_RENEW_DEADLINE: fields.duration('10s'),
    LEASE_RETRY_PERIOD: fields.duration('2s'),
  })
  .superRefine(checkLease);

/** Every variable that is read, for the table of the README. */
export const CONFIG_VARIABLES: readonly string[] = [
  ...Object.keys(schema.shape),
  ...Object.keys(leaseSchema.shape),
  ...Object.keys(storeSchema.shape),
];

type Parsed = z.infer<typeof schema>;
type LeaseTimes = z.infer<typeof leaseSchema>;

/** A candidate that takes over, or gives up, at the wrong time leads beside another. */
function checkLease(parsed: LeaseTimes, context: z.RefinementCtx<LeaseTimes>): void {
  const { LEASE_DURATION, LEASE_RENEW_DEADLINE, LEASE_RETRY_PERIOD } = parsed;
  // What could not be read has its problem already.
  if (!Object.values(parsed).every(Number.isFinite)) return;
  if (LEASE_DURATION <= LEASE_RENEW_DEADLINE) {
    context.addIssue({
      code: 'custom',
      path: ['LEASE_DURATION'],
      message: 'must be longer than LAYERCACHE_LEASE_RENEW_DEADLINE',
    });
  }
  if (LEASE_RENEW_DEADLINE <= JITTER * LEASE_RETRY_PERIOD) {
    context.addIssue({
      code: 'custom',
      path: ['LEASE_RENEW_DEADLINE'],
      message: `must be longer than ${JITTER} times LAYERCACHE_LEASE_RETRY_PERIOD`,
    });
  }
}

/** Without an image nothing is trained. */
function trainerOf(parsed: Parsed): Pick<ServiceDefaults, 'trainer'> {
  if (parsed.TRAINER_IMAGE === null) return {};
  return {
    trainer: {
      image: parsed.TRAINER_IMAGE,
      imagePullPolicy: parsed.SERVER_IMAGE_PULL_POLICY,
      imagePullSecretNames: [...parsed.SERVER_IMAGE_PULL_SECRETS],
      resources: parsed.TRAINER_RESOURCES,
    },
  };
}

function toConfig(parsed: Parsed, lease: LeaseTimes, store: StoreVariables): OperatorConfig {
  const release = parsed.RELEASE ?? 'layercache';
  return Object.freeze({
    kubeconfig: parsed.KUBECONFIG,
    podName: parsed.POD_NAME ?? hostname(),
    installation: {
      namespace: parsed.NAMESPACE,
      release,
      operatorLabels: labelsOf(parsed, release),
      monitoringNamespace: parsed.MONITORING_NAMESPACE,
    },
    defaults: {
      template: {
        image: parsed.SERVER_IMAGE,
        gpuImage: parsed.SERVER_GPU_IMAGE,
        tensorflowImage: parsed.SERVER_TENSORFLOW_IMAGE,
        tensorflowGpuImage: parsed.SERVER_TENSORFLOW_GPU_IMAGE,
        imagePullPolicy: parsed.SERVER_IMAGE_PULL_POLICY,
        imagePullSecretNames: [...parsed.SERVER_IMAGE_PULL_SECRETS],
        resources: parsed.SERVER_RESOURCES,
        store: toStore(store),
        allowedHosts: [...parsed.SERVER_ALLOWED_HOSTS],
      },
      networkPolicy: parsed.SERVER_NETWORK_POLICY,
      ...toPushSecret(store),
      ...trainerOf(parsed),
    },
    watchNamespaces: parsed.WATCH_NAMESPACES,
    lease: {
      name: parsed.LEASE_NAME ?? `${release}-operator`,
      leaseMs: lease.LEASE_DURATION,
      renewDeadlineMs: lease.LEASE_RENEW_DEADLINE,
      retryMs: lease.LEASE_RETRY_PERIOD,
    },
    shards: parsed.SHARDS,
    concurrency: parsed.CONCURRENCY,
    apiBudget: { perSecond: parsed.API_RATE, burst: parsed.API_BURST },
    metricsPort: parsed.METRICS_PORT,
    serviceMetrics: parsed.SERVICE_METRICS,
    bindHost: parsed.BIND_HOST ?? '',
    shutdownTimeoutMs: parsed.SHUTDOWN_TIMEOUT,
    logLevel: parsed.LOG_LEVEL,
  });
}

function labelsOf(parsed: Parsed, release: string): Readonly<Record<string, string>> {
  if (Object.keys(parsed.OPERATOR_LABELS).length > 0) return parsed.OPERATOR_LABELS;
  return {
    'app.kubernetes.io/name': 'layercache-operator',
    'app.kubernetes.io/instance': release,
  };
}

export type ConfigResult =
  | { readonly ok: true; readonly value: OperatorConfig }
  | { readonly ok: false; readonly problems: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads LAYERCACHE_* once; reports every problem, each naming variable, value and fix. */
export function loadConfig(environment: Environment): ConfigResult {
  const own = Object.fromEntries(
    CONFIG_VARIABLES.map((name) => [name, environment[PREFIX + name]] as const),
  );
  const parsed = schema.safeParse(own);
  const lease = leaseSchema.safeParse(own);
  const store = storeSchema.safeParse(own);
  if (parsed.success && lease.success && store.success) {
    return { ok: true, value: toConfig(parsed.data, lease.data, store.data) };
  }
  const issues = [parsed, lease, store].flatMap(({ error }) => error?.issues ?? []);
  return { ok: false, problems: issues.map((issue) => describeProblem(issue, own)) };
}

/** For main.ts, which may not touch the environment itself. */
export function loadProcessConfig(): ConfigResult {
  return loadConfig(process.env);
}

function describeProblem(issue: z.core.$ZodIssue, own: Environment): string {
  const name = String(issue.path[0]);
  const value = own[name];
  const found = value === undefined ? '' : ` is ${JSON.stringify(value.slice(0, 200))} and`;
  return `${PREFIX}${name}${found} ${issue.message}.`;
}
