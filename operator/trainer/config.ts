import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { parseAllowedHosts, type AllowedHosts } from '../../server/net/allowed-hosts.ts';
import {
  readAwsIdentity,
  type AwsIdentitySettings,
} from '../../server/net/stores/aws-identity-settings.ts';
import type { ProxySetting } from '../../server/net/proxy-tunnel.ts';

const ratio = z.number().min(0).max(1);

const jobSchema = z.object({
  /** Admin base URLs of the model servers. */
  servers: z.array(z.url()).min(1).max(1000),
  /** The key of every one of them; absent: plain HTTP on this machine. */
  serverPin: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits')
    .optional(),
  part: z.enum(['long', 'recent']),
  /** Per pod: only rows after this sequence. */
  after: z.array(
    z.object({ podUid: z.string(), bootId: z.string(), seq: z.number().int().min(0) }),
  ),
  settings: z.object({
    budget: z.number().gt(0).max(0.5),
    maxActiveExits: z.number().int().min(1).max(16),
    minSaving: ratio,
    maxOverhead: ratio,
    maxBundleBytes: z.number().int().positive(),
  }),
  /** Whether input rows are asked for, and a student is made of them. */
  student: z.boolean().default(false),
  /** The remote store of the service; absent: the bundle is offered here alone. */
  store: z.object({ uri: z.string().max(1024) }).optional(),
  seed: z.number().int().min(0),
  parent: z.string().nullable(),
  trainerVersion: z.string().max(128),
});

/** What to train from and within which limits. */
export type TrainerJob = z.infer<typeof jobSchema>;

export interface TrainerConfig {
  readonly job: TrainerJob;
  readonly adminPort: number;
  readonly bindHost: string;
  /** Folder with `tls.key`, `tls.crt` and `peers.json`; null: the admin port speaks plain HTTP. */
  readonly adminDir: string | null;
  /** Where the push Secret of the store is mounted; null: none. */
  readonly storeCredentialsDir: string | null;
  readonly storeCaBundleDir: string | null;
  /** The pod's own identity in a cloud, for a store without a Secret; null: it has none. */
  readonly awsIdentity: AwsIdentitySettings | null;
  /** Hosts that a store may have, as servers have them. */
  readonly allowedHosts: AllowedHosts;
  readonly proxy: ProxySetting;
  /** Heads trained at once, each on one core. */
  readonly threads: number;
  readonly exitWithStdin: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** A configuration, or every problem at once. */
export type LoadedConfig =
  | { readonly ok: true; readonly value: TrainerConfig }
  | { readonly ok: false; readonly problems: readonly string[] };

const PREFIX = 'LAYERCACHE_';
const MAX_THREADS = 64;

const wholeNumber = (standard: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, `must be a whole number from 0 to ${max}`)
    .default(String(standard))
    .transform(Number)
    .refine((value) => value <= max, `must be at most ${max}`);

const schema = z.object({
  TRAINER_JOB: z
    .string({ error: 'is missing; the operator sets it to the job as JSON' })
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue('must be JSON');
        return z.NEVER;
      }
    })
    .pipe(jobSchema),
  ADMIN_PORT: wholeNumber(8081, 65_535),
  BIND_HOST: z.string().min(1).max(253).default('0.0.0.0'),
  ADMIN_DIR: z.string().min(1).max(4096).optional(),
  STORE_CREDENTIALS_DIR: z.string().min(1).max(4096).optional(),
  STORE_CA_BUNDLE_DIR: z.string().min(1).max(4096).optional(),
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
  TRAINER_THREADS: wholeNumber(Math.min(MAX_THREADS, availableParallelism()), MAX_THREADS),
  EXIT_WITH_STDIN: z.enum(['true', 'false'], { error: 'must be true or false' }).default('false'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be debug, info, warn, error or silent',
    })
    .default('info'),
});

/** Reads LAYERCACHE_* of an environment. */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>>,
): LoadedConfig {
  const known = Object.keys(schema.shape).map((name) => [name, environment[PREFIX + name]]);
  const parsed = schema.safeParse(Object.fromEntries(known));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => {
      const [name, ...field] = path.map(String);
      return `${PREFIX}${name ?? ''}${field.length > 0 ? `, field ${field.join('.')},` : ''} ${message}`;
    });
    return { ok: false, problems };
  }
  const { data } = parsed;
  return {
    ok: true,
    value: {
      job: data.TRAINER_JOB,
      adminPort: data.ADMIN_PORT,
      bindHost: data.BIND_HOST,
      adminDir: data.ADMIN_DIR ?? null,
      storeCredentialsDir: data.STORE_CREDENTIALS_DIR ?? null,
      storeCaBundleDir: data.STORE_CA_BUNDLE_DIR ?? null,
      awsIdentity: readAwsIdentity(environment),
      allowedHosts: data.ALLOWED_HOSTS,
      proxy: {
        url: emptyToNull(environment.HTTPS_PROXY ?? environment.https_proxy),
        exceptions: environment.NO_PROXY ?? environment.no_proxy ?? '',
      },
      threads: Math.max(1, data.TRAINER_THREADS),
      exitWithStdin: data.EXIT_WITH_STDIN === 'true',
      logLevel: data.LOG_LEVEL,
    },
  };
}

function emptyToNull(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

/** The configuration of this process. */
export function loadProcessConfig(): LoadedConfig {
  return loadConfig(process.env);
}

/**
 * From 1.29 on onnxruntime reports each process and session to its makers unless this is set before it loads. For the threads that load
 * it, the main thread has to set it: theirs is a copy.
 */
export function turnTelemetryOff(): void {
  process.env.ORT_DISABLE_TELEMETRY = '1';
}
