import { availableParallelism } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from '../crds/v1alpha1/duration.ts';

/** Complete, frozen settings in base units; nobody inside meets `undefined`. */
export interface ServerConfig {
  readonly modelName: string;
  readonly backbonePath: string;
  readonly backboneDigest: string | null;
  readonly outputName: string | null;
  readonly engine: 'Auto' | 'ONNX';
  readonly dataPort: number;
  readonly adminPort: number;
  readonly metricsPort: number;
  readonly bindHost: string;
  /** Empty: the shell makes one up. */
  readonly podUid: string;
  readonly engineThreads: number;
  readonly policyDir: string | null;
  readonly cacheDir: string | null;
  readonly sampleMemoryBytes: number;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly exitWithStdin: boolean;
  readonly evidenceWindowMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

const PREFIX = 'LAYERCACHE_';
const UNITS = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 } as const;

const port = (standard: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number, 0 for a free one')
    .default(String(standard))
    .transform(Number)
    .refine((value) => value <= 65_535, 'must be at most 65535');

const count = (standard: number, max: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,5}$/, 'must be a whole number from 1 up')
    .default(String(standard))
    .transform(Number)
    .refine((value) => value <= max, `must be at most ${max}`);

const duration = (standard: string) =>
  z
    .string()
    .regex(DURATION_PATTERN, 'must be a duration such as 500ms, 30s or 1m30s')
    .default(standard)
    .transform(parseDuration);

const bytes = (standard: string) =>
  z
    .string()
    .regex(/^[1-9]\d{0,11}(Ki|Mi|Gi)?$/, 'must be a size such as 256Mi')
    .default(standard)
    .transform((text) => {
      const unit = /[KMG]i$/.exec(text)?.[0] ?? '';
      return Number.parseInt(text, 10) * UNITS[unit as keyof typeof UNITS];
    });

const text = z.string().max(4096);
const optionalText = text.default('').transform((value) => (value === '' ? null : value));

const schema = z.object({
  MODEL_NAME: z
    .string({ error: 'is missing; set it to the name clients use in /v2/models/NAME' })
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/,
      'must be letters, digits, ".", "_" and "-", at most 253',
    ),
  BACKBONE_URI: z
    .string({ error: 'is missing; set it to file:///path/to/model.onnx or a path' })
    .min(1, 'is empty; set it to file:///path/to/model.onnx or a path')
    .max(4096)
    .refine(
      (uri) => uri.startsWith('file:///') || !/^[a-z][a-z0-9+.-]+:/i.test(uri),
      'must be file:///... or a path; other schemes are not read yet',
    ),
  BACKBONE_DIGEST: z
    .union([
      z.literal(''),
      z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits'),
    ])
    .default('')
    .transform((value) => (value === '' ? null : value)),
  OUTPUT_NAME: optionalText,
  ENGINE: z.enum(['Auto', 'ONNX'], { error: 'must be Auto or ONNX' }).default('Auto'),
  DATA_PORT: port(8080),
  ADMIN_PORT: port(8081),
  METRICS_PORT: port(9090),
  BIND_HOST: z.string().min(1).max(253).default('0.0.0.0'),
  POD_UID: z.string().max(128).default(''),
  ENGINE_THREADS: count(availableParallelism(), 1024),
  POLICY_DIR: optionalText,
  CACHE_DIR: optionalText,
  SAMPLE_MEMORY: bytes('256Mi'),
  DRAIN_DELAY: duration('5s'),
  DRAIN_TIMEOUT: duration('30s'),
  EXIT_WITH_STDIN: z.enum(['true', 'false'], { error: 'must be true or false' }).default('false'),
  EVIDENCE_WINDOW_SECONDS: count(10, 3_600),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be debug, info, warn, error or silent',
    })
    .default('info'),
});

type Parsed = z.infer<typeof schema>;

function toConfig(parsed: Parsed): ServerConfig {
  const { BACKBONE_URI: uri } = parsed;
  const path = uri.startsWith('file:') ? fileURLToPath(uri) : uri;
  return Object.freeze({
    modelName: parsed.MODEL_NAME,
    backbonePath: isAbsolute(path) ? path : resolve(path),
    backboneDigest: parsed.BACKBONE_DIGEST,
    outputName: parsed.OUTPUT_NAME,
    engine: parsed.ENGINE,
    dataPort: parsed.DATA_PORT,
    adminPort: parsed.ADMIN_PORT,
    metricsPort: parsed.METRICS_PORT,
    bindHost: parsed.BIND_HOST,
    podUid: parsed.POD_UID,
    engineThreads: parsed.ENGINE_THREADS,
    policyDir: parsed.POLICY_DIR,
    cacheDir: parsed.CACHE_DIR,
    sampleMemoryBytes: parsed.SAMPLE_MEMORY,
    drainDelayMs: parsed.DRAIN_DELAY,
    drainTimeoutMs: parsed.DRAIN_TIMEOUT,
    exitWithStdin: parsed.EXIT_WITH_STDIN === 'true',
    evidenceWindowMs: parsed.EVIDENCE_WINDOW_SECONDS * 1000,
    logLevel: parsed.LOG_LEVEL,
  });
}

export type ConfigResult =
  | { readonly ok: true; readonly value: ServerConfig }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads LAYERCACHE_* once; reports every problem, each naming variable, value and fix. */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>>,
): ConfigResult {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith(PREFIX) && value !== undefined) own[name.slice(PREFIX.length)] = value;
  }
  const parsed = schema.safeParse(own);
  if (parsed.success) return { ok: true, value: toConfig(parsed.data) };
  return { ok: false, problems: parsed.error.issues.map((issue) => describeProblem(issue, own)) };
}

/** For main.ts, which may not touch the environment itself. */
export function loadProcessConfig(): ConfigResult {
  return loadConfig(process.env);
}

function describeProblem(issue: z.core.$ZodIssue, own: Readonly<Record<string, string>>): string {
  const name = String(issue.path[0]);
  const value = own[name];
  const given = value === undefined ? '' : ` is ${JSON.stringify(value.slice(0, 200))} and`;
  return `${PREFIX}${name}${given} ${unionMessage(issue)}.`;
}

function unionMessage(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union') return issue.message;
  return issue.errors.at(-1)?.[0]?.message ?? issue.message;
}
