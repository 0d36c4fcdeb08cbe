// Who a person is to a registry, as docker, podman and oras keep it: a file with logins, or a program that has them.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorText } from '../../../../server/core/system-error.ts';
import { parseJson } from '../../../../server/net/parse-json.ts';
import { CliError } from '../../../errors.ts';

type Environment = Readonly<Record<string, string>>;

const configSchema = z.looseObject({
  auths: z.record(z.string(), z.unknown()).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});

const answerSchema = z.looseObject({ Username: z.string().min(1), Secret: z.string().min(1) });

const HELPER_MS = 20_000;

/** The first that is there; the last is named in advice when none is. */
function configPath({
  REGISTRY_AUTH_FILE,
  DOCKER_CONFIG,
  XDG_RUNTIME_DIR,
  HOME = '',
}: Environment): string {
  const paths = [
    REGISTRY_AUTH_FILE,
    DOCKER_CONFIG === undefined ? undefined : join(DOCKER_CONFIG, 'config.json'),
    XDG_RUNTIME_DIR === undefined ? undefined : join(XDG_RUNTIME_DIR, 'containers', 'auth.json'),
    join(HOME, '.docker', 'config.json'),
  ].filter((path) => path !== undefined);
  return paths.find((path) => existsSync(path)) ?? paths.at(-1) ?? '';
}

/** Keys as a Secret of the store has them; empty: nobody is named. The path is the one that advice names. */
export async function dockerLogin(
  registry: string,
  environment: Environment,
): Promise<{ readonly path: string; readonly secret: ReadonlyMap<string, string> }> {
  const path = configPath(environment);
  if (!existsSync(path)) return { path, secret: new Map() };
  const { text, config } = await readConfig(path);
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  if (helper !== undefined) return { path, secret: await askHelper(helper, registry, environment) };
  return { path, secret: new Map(config.auths === undefined ? [] : [['.dockerconfigjson', text]]) };
}

async function readConfig(
  path: string,
): Promise<{ readonly text: string; readonly config: z.infer<typeof configSchema> }> {
  try {
    const text = await readFile(path, 'utf8');
    return { text, config: configSchema.parse(JSON.parse(text)) };
  } catch (error) {
    const why = error instanceof z.ZodError ? 'it is no Docker configuration' : errorText(error);
    throw new CliError('StoreFailed', {
      where: path,
      why: `${why}.`,
      nextStep: 'Correct that file, or write it anew with `docker login REGISTRY`.',
      cause: error,
    });
  }
}

/** `docker-credential-NAME get`: the registry on its standard input, JSON on its output (docker/docker-credential-helpers). */
async function askHelper(
  helper: string,
  registry: string,
  environment: Environment,
): Promise<ReadonlyMap<string, string>> {
  const program = `docker-credential-${helper}`;
  const output = await runHelper(program, registry, environment);
  // It ends with 1 where it knows nobody, and says so in words of its own.
  if (output === null) return new Map();
  const parsed = answerSchema.safeParse(parseJson(output));
  if (parsed.success) {
    const { Username: username, Secret: password } = parsed.data;
    return new Map(Object.entries({ username, password }));
  }
  throw new CliError('StoreFailed', {
    where: program,
    why: 'what it prints is no login.',
    nextStep: `Try \`echo ${registry} | ${program} get\`.`,
  });
}

/** What it prints; null when it fails. */
function runHelper(
  program: string,
  registry: string,
  environment: Environment,
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...environment }, timeout: HELPER_MS };
    const child = execFile(program, ['get'], options, (error, stdout) => {
      if (error?.code === 'ENOENT') {
        const why = 'the Docker configuration names this program, and it is not on the path.';
        reject(new CliError('StoreFailed', { where: program, why, cause: error }));
        return;
      }
      resolve(error === null ? stdout : null);
    });
    // A program that never reads must not end this one.
    child.stdin?.on('error', () => undefined).end(registry);
  });
}
