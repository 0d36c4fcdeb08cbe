import { readFile } from 'node:fs/promises';
import { WIRE_LIMITS } from '../../../../crds/wire/limits.ts';
import { errorText } from '../../../../server/core/system-error.ts';
import { parseAllowedHosts, type AllowedHosts } from '../../../../server/net/allowed-hosts.ts';
import { certificatesIn } from '../../../../server/net/ca-bundle.ts';
import { resolveBySystem } from '../../../../server/net/checked-addresses.ts';
import type { StorePlace } from '../../../../server/net/stores/store-uri.ts';
import type { TransferRules } from '../../../../server/net/stores/transfer-bundle.ts';
import { CliError } from '../../../errors.ts';
import { dockerLogin } from './docker-login.ts';

type Environment = Readonly<Record<string, string>>;

export interface StoreFlags {
  readonly caFile?: string;
  readonly allowHost?: readonly string[];
}

const TIMES = { totalMs: 120_000, idleMs: 15_000 };
const AWS_KEYS = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_REGION',
  'AWS_ENDPOINT_URL',
];

/**
 * How a person's machine reaches a store: S3 with what the environment says, a registry with the login that docker keeps. The host
 * that was typed may have a private address; others may not, unless --allow-host names them: a store can send elsewhere.
 */
export async function storeRules(
  place: StorePlace,
  flags: StoreFlags,
  environment: Environment,
): Promise<TransferRules> {
  const { secret, credentials } = await whoAsks(place, environment);
  const extraCas = flags.caFile === undefined ? [] : await readCas(flags.caFile);
  const typed = place.kind === 's3' ? endpointHost(secret) : [place.registry];
  return {
    access: { secret, extraCas },
    net: {
      allowedHosts: hostsOf([...typed, ...(flags.allowHost ?? [])]),
      proxy: {
        url: environment.HTTPS_PROXY ?? environment.https_proxy ?? null,
        exceptions: environment.NO_PROXY ?? environment.no_proxy ?? '',
      },
      resolve: resolveBySystem,
      idleMs: TIMES.idleMs,
    },
    fields: {
      ...{ uri: 'the address', credentials, caBundle: 'a file, and name it with --ca-file' },
      writtenIn: 'CommandLine',
    },
    totalMs: TIMES.totalMs,
    maxBytes: WIRE_LIMITS.headBundleBytes,
    signal: new AbortController().signal,
  };
}

async function whoAsks(
  place: StorePlace,
  environment: Environment,
): Promise<{ readonly secret: ReadonlyMap<string, string>; readonly credentials: string }> {
  if (place.kind === 'oci') {
    const { path, secret } = await dockerLogin(place.registry, environment);
    return { secret, credentials: path };
  }
  const { AWS_DEFAULT_REGION: region } = environment;
  const given: Environment = {
    ...(region === undefined ? {} : { AWS_REGION: region }),
    ...environment,
  };
  const keys = AWS_KEYS.flatMap((key) => {
    const value = given[key] ?? '';
    return value === '' ? [] : [[key, value] as const];
  });
  const isAnybody = !keys.some(([key]) => key.includes('ACCESS_KEY'));
  const credentials = 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment';
  // Without keys only the endpoint counts: the request is anybody's.
  return {
    secret: new Map(keys.filter(([key]) => !isAnybody || key === 'AWS_ENDPOINT_URL')),
    credentials,
  };
}

function endpointHost(secret: ReadonlyMap<string, string>): readonly string[] {
  const endpoint = secret.get('AWS_ENDPOINT_URL') ?? '';
  return URL.canParse(endpoint) ? [new URL(endpoint).host] : [];
}

function hostsOf(named: readonly string[]): AllowedHosts {
  const parsed = parseAllowedHosts(['*', ...named].join(','));
  if (parsed.ok) return { ...parsed.value, setting: '--allow-host' };
  throw new CliError('UsageError', {
    where: '--allow-host',
    why: `${named.join(', ')} ${parsed.message}.`,
  });
}

async function readCas(path: string): Promise<readonly string[]> {
  const nextStep = 'Name a file with the CA of the store in PEM.';
  const where = `--ca-file ${path}`;
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CliError('UsageError', {
      where,
      why: `${errorText(error)}.`,
      nextStep,
      cause: error,
    });
  });
  const found = certificatesIn([text]);
  if (found.length > 0) return found;
  const why = 'it holds no readable PEM certificate.';
  throw new CliError('UsageError', { where, why, nextStep });
}
