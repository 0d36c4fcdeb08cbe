import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { TASKS, type TaskName } from '../crds/wire/task.ts';
import { parseAllowedHosts, type AllowedHosts } from './net/allowed-hosts.ts';
import { parseBackboneUri, type BackboneUri } from './backbone/backbone-uri.ts';
import { MODEL_FORMATS, type ModelFormat } from './backbone/model-format.ts';
import { parseCompanions, type CompanionSetting } from './companions.ts';
import * as fields from './config-fields.ts';
import type { ConnectionLimits, RequestLimits } from './limits.ts';
import { POD_PATHS } from './pod-paths.ts';
import { readAwsIdentity, type AwsIdentitySettings } from './net/stores/aws-identity-settings.ts';

const ENGINES = ['Auto', 'ONNX', 'TFJSGPU', 'TFJSNode', 'TFJSWASM', 'TFJSCPU'] as const;

/** What models run on; unset: processors. */
const DEVICES = ['CPU', 'GPU'] as const;

export type EngineSetting = (typeof ENGINES)[number];

/** Complete, frozen settings in base units; nobody inside meets `undefined`. */
export interface ServerConfig {
  /**
   * Name of the CachedModelService whose pod this is; null outside a cluster. In a pod a backbone that cannot be served is
   * retried and reported instead of ending the process, and directories default to where pods mount them.
   */
  readonly service: string | null;
  readonly namespace: string | null;
  readonly podName: string | null;
  readonly modelName: string;
  readonly backboneUri: BackboneUri;
  readonly backboneDigest: string | null;
  readonly backboneFormat: ModelFormat | null;
  readonly outputName: string | null;
  /** Null: as the model's notes say. */
  readonly task: TaskName | null;
  readonly engine: EngineSetting;
  readonly companions: readonly CompanionSetting[];
  readonly warmupIterations: number;
  readonly dataPort: number;
  readonly adminPort: number;
  readonly metricsPort: number;
  /** The metrics page is OpenMetrics, with trace ids. */
  readonly metricsExemplars: boolean;
  /** Empty: every address of the machine, IPv6 too where there is any. */
  readonly bindHost: string;
  /** Empty: the shell makes one up. */
  readonly podUid: string;
  readonly engineThreads: number;
  /** Of one pass when nothing else is under way. */
  readonly loneThreads: number;
  /** Null: what the container's limit leaves. */
  readonly engineMemoryBytes: number | null;
  readonly policyDir: string | null;
  readonly adminDir: string | null;
  readonly cacheDir: string | null;
  readonly modelDir: string | null;
  readonly credentialsDir: string | null;
  readonly caBundleDir: string | null;
  readonly warmupDir: string | null;
  /** `s3://...` or `oci://...` that the store's credentials are for; null: none. */
  readonly headStore: string | null;
  readonly storeCredentialsDir: string | null;
  readonly storeCaBundleDir: string | null;
  /** The pod's own identity in a cloud; null: it has none. */
  readonly awsIdentity: AwsIdentitySettings | null;
  readonly allowedHosts: AllowedHosts;
  readonly proxy: { readonly url: string | null; readonly exceptions: string };
  readonly sampleMemoryBytes: number;
  /** 0: no input row is ever held. */
  readonly inputMemoryBytes: number;
  readonly inputRetentionMs: number;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly exitWithStdin: boolean;
  readonly evidenceWindowMs: number;
  readonly requestLimits: RequestLimits;
  readonly connectionLimits: ConnectionLimits;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

const PREFIX = 'LAYERCACHE_';

const schema = z.object({
  SERVICE: fields.optionalText,
  NAMESPACE: fields.optionalText,
  POD_NAME: fields.optionalText,
  POD_UID: z.string().max(128).default(''),
  MODEL_NAME: z
    .string({ error: 'is missing; set it to the name clients use in /v2/models/NAME' })
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/,
      'must be letters, digits, ".", "_" and "-", at most 253',
    ),
  BACKBONE_URI: z
    .string({ error: 'is missing; set it to https://..., file:///path/to/model.onnx or a path' })
    .max(4096)
    .transform((uri, context) => {
      const parsed = parseBackboneUri(uri);
      if (parsed.ok) return parsed.value;
      context.addIssue(parsed.message);
      return z.NEVER;
    }),
  BACKBONE_FORMAT: fields.optionalChoice(MODEL_FORMATS),
  BACKBONE_DIGEST: fields.optionalDigest,
  OUTPUT_NAME: fields.optionalText,
  TASK: fields.optionalChoice(TASKS),
  ENGINE: fields.optionalChoice(ENGINES),
  DEVICE: fields.optionalChoice(DEVICES),
  ENGINE_MEMORY: fields.optionalBytes,
  ENGINE_LONE_THREADS: fields.optionalCount({ min: 1, max: 1024 }),
  ENGINE_THREADS: fields.count(availableParallelism(), { min: 1, max: 1024 }),
  COMPANIONS: z
    .string()
    .max(65_536)
    .default('')
    .transform((text, context) => {
      const parsed = parseCompanions(text);
      if (parsed.ok) return parsed.value;
      context.addIssue(parsed.message);
      return z.NEVER;
    }),
  WARMUP_ITERATIONS: fields.count(3, { min: 0, max: 100 }),
  DATA_PORT: fields.port(8080),
  ADMIN_PORT: fields.port(8081),
  METRICS_PORT: fields.port(9090),
  METRICS_EXEMPLARS: fields.onOff,
  BIND_HOST: z.string().max(253).default(''),
  POLICY_DIR: fields.optionalText,
  ADMIN_DIR: fields.optionalText,
  CACHE_DIR: fields.optionalText,
  MODEL_DIR: fields.optionalText,
  CREDENTIALS_DIR: fields.optionalText,
  CA_BUNDLE_DIR: fields.optionalText,
  WARMUP_DIR: fields.optionalText,
  HEAD_STORE: fields.optionalText,
  STORE_CREDENTIALS_DIR: fields.optionalText,
  STORE_CA_BUNDLE_DIR: fields.optionalText,
  ALLOWED_HOSTS: z
    .string()
    .max(16_384)
    .default('')
    .transform((text, context) => {
      const parsed = parseAllowedHosts(text);
      if (parsed.ok) return parsed.value;
      context.addIssue(parsed.message);
      return z.NEVER;
    }),
  SAMPLE_MEMORY: fields.bytes('256Mi'),
  INPUT_MEMORY: fields.optionalBytes,
  INPUT_RETENTION: fields.duration('1h'),
  DRAIN_DELAY: fields.duration('10s'),
  DRAIN_TIMEOUT: fields.duration('30s'),
  EXIT_WITH_STDIN: fields.switchedOn,
  EVIDENCE_WINDOW_SECONDS: fields.count(10, { min: 1, max: 3_600 }),
  MAX_JSON_DEPTH: fields.count(32, { min: 8, max: 1_000 }),
  MAX_TENSOR_ELEMENTS: fields.count(2 ** 26, { min: 1, max: 2 ** 30 }),
  MAX_DECOMPRESSION_RATIO: fields.count(4, { min: 1, max: 1_000 }),
  MAX_IMAGE_PIXELS: fields.count(16_000_000, { min: 1, max: 1_000_000_000 }),
  MAX_HELD_BODIES: fields.bytes('256Mi'),
  MAX_HEADER_SIZE: fields.bytes('16Ki'),
  HEADERS_TIMEOUT: fields.duration('10s'),
  RECEIVE_TIMEOUT: fields.duration('2m'),
  KEEP_ALIVE_TIMEOUT: fields.duration('75s'),
  WRITE_TIMEOUT: fields.duration('1m'),
  MAX_CONNECTIONS: fields.count(1_024, { min: 1, max: 1_000_000 }),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be debug, info, warn, error or silent',
    })
    .default('info'),
});

/** Every variable that is read, for the table of the README. */
export const CONFIG_VARIABLES: readonly string[] = Object.keys(schema.shape);

type Parsed = z.infer<typeof schema>;

/** Several workers would share one card, each with a copy of the model on it. */
function threadsOf(parsed: Parsed): Pick<ServerConfig, 'engineThreads' | 'loneThreads'> {
  if (parsed.DEVICE === 'GPU') return { engineThreads: 1, loneThreads: 1 };
  const { ENGINE_THREADS: engineThreads, ENGINE_LONE_THREADS: lone } = parsed;
  return { engineThreads, loneThreads: lone ?? engineThreads };
}

function toConfig(
  parsed: Parsed,
  { proxy, awsIdentity }: Pick<ServerConfig, 'proxy' | 'awsIdentity'>,
): ServerConfig {
  const isPod = parsed.SERVICE !== null;
  const mounted = (given: string | null, name: keyof typeof POD_PATHS): string | null =>
    given ?? (isPod ? POD_PATHS[name] : null);
  return Object.freeze({
    service: parsed.SERVICE,
    namespace: parsed.NAMESPACE,
    podName: parsed.POD_NAME,
    modelName: parsed.MODEL_NAME,
    backboneUri: parsed.BACKBONE_URI,
    backboneDigest: parsed.BACKBONE_DIGEST,
    backboneFormat: parsed.BACKBONE_FORMAT,
    outputName: parsed.OUTPUT_NAME,
    task: parsed.TASK,
    engine: parsed.ENGINE ?? 'Auto',
    companions: parsed.COMPANIONS,
    warmupIterations: parsed.WARMUP_ITERATIONS,
    dataPort: parsed.DATA_PORT,
    adminPort: parsed.ADMIN_PORT,
    metricsPort: parsed.METRICS_PORT,
    metricsExemplars: parsed.METRICS_EXEMPLARS,
    bindHost: parsed.BIND_HOST,
    podUid: parsed.POD_UID,
    ...threadsOf(parsed),
    engineMemoryBytes: parsed.ENGINE_MEMORY,
    policyDir: mounted(parsed.POLICY_DIR, 'policyDir'),
    adminDir: mounted(parsed.ADMIN_DIR, 'adminDir'),
    cacheDir: mounted(parsed.CACHE_DIR, 'cacheDir'),
    modelDir: mounted(parsed.MODEL_DIR, 'modelDir'),
    credentialsDir: mounted(parsed.CREDENTIALS_DIR, 'credentialsDir'),
    caBundleDir: mounted(parsed.CA_BUNDLE_DIR, 'caBundleDir'),
    warmupDir: mounted(parsed.WARMUP_DIR, 'warmupDir'),
    headStore: parsed.HEAD_STORE,
    storeCredentialsDir: mounted(parsed.STORE_CREDENTIALS_DIR, 'storeCredentialsDir'),
    storeCaBundleDir: mounted(parsed.STORE_CA_BUNDLE_DIR, 'storeCaBundleDir'),
    awsIdentity,
    allowedHosts: parsed.ALLOWED_HOSTS,
    proxy,
    sampleMemoryBytes: parsed.SAMPLE_MEMORY,
    inputMemoryBytes: parsed.INPUT_MEMORY ?? 0,
    inputRetentionMs: parsed.INPUT_RETENTION,
    drainDelayMs: parsed.DRAIN_DELAY,
    drainTimeoutMs: parsed.DRAIN_TIMEOUT,
    exitWithStdin: parsed.EXIT_WITH_STDIN,
    evidenceWindowMs: parsed.EVIDENCE_WINDOW_SECONDS * 1000,
    ...toLimits(parsed),
    logLevel: parsed.LOG_LEVEL,
  });
}

function toLimits(parsed: Parsed): Pick<ServerConfig, 'requestLimits' | 'connectionLimits'> {
  return {
    requestLimits: {
      maxJsonDepth: parsed.MAX_JSON_DEPTH,
      maxTensorElements: parsed.MAX_TENSOR_ELEMENTS,
      maxDecompressionRatio: parsed.MAX_DECOMPRESSION_RATIO,
      maxImagePixels: parsed.MAX_IMAGE_PIXELS,
      maxHeldBytes: parsed.MAX_HELD_BODIES,
    },
    connectionLimits: {
      maxHeaderBytes: parsed.MAX_HEADER_SIZE,
      headersTimeoutMs: parsed.HEADERS_TIMEOUT,
      receiveTimeoutMs: parsed.RECEIVE_TIMEOUT,
      keepAliveTimeoutMs: parsed.KEEP_ALIVE_TIMEOUT,
      writeTimeoutMs: parsed.WRITE_TIMEOUT,
      maxConnections: parsed.MAX_CONNECTIONS,
    },
  };
}

export type ConfigResult =
  | { readonly ok: true; readonly value: ServerConfig }
  | { readonly ok: false; readonly problems: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads LAYERCACHE_* once; reports every problem, each naming variable, value and fix. */
export function loadConfig(environment: Environment): ConfigResult {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith(PREFIX) && value !== undefined) own[name.slice(PREFIX.length)] = value;
  }
  const parsed = schema.safeParse(own);
  if (parsed.success) {
    const awsIdentity = readAwsIdentity(environment);
    return {
      ok: true,
      value: toConfig(parsed.data, { proxy: readProxy(environment), awsIdentity }),
    };
  }
  return { ok: false, problems: parsed.error.issues.map((issue) => describeProblem(issue, own)) };
}

/** The two variables that every program reads for HTTPS; nothing of them is used for http:// or the admin port. */
function readProxy(environment: Environment): ServerConfig['proxy'] {
  const url = environment.HTTPS_PROXY ?? environment.https_proxy ?? '';
  const exceptions = environment.NO_PROXY ?? environment.no_proxy ?? '';
  return { url: url === '' ? null : url, exceptions };
}

/** For main.ts, which may not touch the environment itself. */
export function loadProcessConfig(): ConfigResult {
  return loadConfig(process.env);
}

function describeProblem(issue: z.core.$ZodIssue, own: Readonly<Record<string, string>>): string {
  const name = String(issue.path[0]);
  const value = own[name];
  const given = value === undefined ? '' : ` is ${JSON.stringify(value.slice(0, 200))} and`;
  return `${PREFIX}${name}${given} ${issue.message}.`;
}
