// Real stores on loopback: an S3 server built from its Go module, and Debian's docker-registry. Both over TLS, both with credentials.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostCertificate } from '../../support/host-certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { REGISTRY_PROGRAMS, startRegistry } from '../harness/docker-registry.ts';
import { whyMissing } from '../harness/missing-program.ts';
import { programFolder, Unavailable } from '../harness/programs.ts';

export interface StoreServer {
  readonly port: number;
  /** PEM of its certificate, which is its own CA. */
  readonly ca: string;
  /** What `heads.store` says. */
  readonly uri: string;
  /** A place in it that nobody wrote. */
  readonly emptyUri: string;
  /** Keys of a Secret that may read and write. */
  readonly secret: Readonly<Record<string, string>>;
  /** Well-formed, and refused. */
  readonly wrongSecret: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export type StoreKind = 's3' | 'oci';

const HOST = 'localhost';
const KEY_ID = 'heads-writer';
const PASSWORD = 'heads-password';
/** bcrypt of the password. */
const PASSWORD_HASH = '$2b$05$5/v.ikb6KC8b5ibVkFzL5u62rsP3I9bgq16gZEzMit9LJm7a/C2/i';

/** Why a kind of store cannot run here, said on standard error too; null: it can. */
export async function whyNoStore(kind: StoreKind): Promise<string | null> {
  const why = await findObstacle(kind);
  if (why !== null)
    process.stderr.write(`\nSKIPPED: tests that need a real ${kind} store: ${why}\n`);
  return why;
}

async function findObstacle(kind: StoreKind): Promise<string | null> {
  if (process.env.LAYERCACHE_TEST_CLUSTER === 'off') return 'LAYERCACHE_TEST_CLUSTER=off';
  if (kind === 'oci') return whyMissing(REGISTRY_PROGRAMS);
  try {
    await programFolder('stores');
    return null;
  } catch (error) {
    if (error instanceof Unavailable) return error.message;
    throw error;
  }
}

/** Starts one with its files under `dir`. It ends with `stop`. Stores that one client trusts share their `keys`: both have the same name. */
export function startStore(
  kind: StoreKind,
  dir: string,
  keys = hostCertificate(HOST),
): Promise<StoreServer> {
  mkdirSync(dir, { recursive: true });
  return kind === 's3' ? startS3(dir, keys) : startOci(dir, keys);
}

type HostKeys = ReturnType<typeof hostCertificate>;

function writeKeys(
  dir: string,
  { key: pem, ca }: HostKeys,
): {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
} {
  const [cert, key] = [join(dir, 'tls.crt'), join(dir, 'tls.key')];
  writeFileSync(cert, ca);
  writeFileSync(key, pem);
  return { ca, cert, key };
}

async function startS3(dir: string, keys: HostKeys): Promise<StoreServer> {
  const program = join(await programFolder('stores'), 's3-server');
  const { ca, cert, key } = writeKeys(dir, keys);
  const flags = { cert, key, bucket: 'heads', id: KEY_ID, secret: PASSWORD };
  const child = spawn(
    program,
    Object.entries(flags).flatMap(([name, value]) => [`-${name}`, value]),
  );
  const port = await portOf(child);
  const secretOf = (password: string) => ({
    AWS_ACCESS_KEY_ID: KEY_ID,
    AWS_SECRET_ACCESS_KEY: `${password}\n`,
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL: `https://${HOST}:${port}`,
  });
  return {
    ...{ port, ca, uri: 's3://heads/vision', emptyUri: 's3://heads/nothing' },
    secret: secretOf(PASSWORD),
    wrongSecret: secretOf('another-password'),
    stop: () => kill(child),
  };
}

async function startOci(dir: string, keys: HostKeys): Promise<StoreServer> {
  const { ca, cert, key } = writeKeys(dir, keys);
  const passwordsPath = join(dir, 'htpasswd');
  writeFileSync(passwordsPath, `${KEY_ID}:${PASSWORD_HASH}\n`);
  const tls = { certificate: cert, key };
  const { port, stop } = await startRegistry(dir, { tls, passwordsPath });
  const registry = `${HOST}:${port}`;
  const secretOf = (password: string) => {
    const auth = Buffer.from(`${KEY_ID}:${password}`).toString('base64');
    return { '.dockerconfigjson': JSON.stringify({ auths: { [registry]: { auth } } }) };
  };
  return {
    ...{ port, ca, uri: `oci://${registry}/team/heads` },
    emptyUri: `oci://${registry}/team/heads:nothing`,
    secret: secretOf(PASSWORD),
    wrongSecret: secretOf('another-password'),
    stop,
  };
}

/** Reads the port that the S3 server prints once it listens. */
async function portOf(child: ChildProcess): Promise<number> {
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  }
  return eventually(() => {
    const port = /^(\d+)$/m.exec(printed)?.[1];
    if (port === undefined) throw new Error(`the store does not listen: ${printed}`);
    return Number(port);
  }, 20_000);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
