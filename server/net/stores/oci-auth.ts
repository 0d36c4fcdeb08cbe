// How a registry is told who asks: its challenge names Basic, or a service that gives tokens (distribution token specification).
import { z } from 'zod';
import { fetchFailed, shownUrl, StatusError } from '../fetch-problem.ts';
import { parseJson } from '../parse-json.ts';
import { readBytes } from '../read-bytes.ts';
import { sendRequest } from '../send-request.ts';
import { secretValue, type StoreCall } from './store-access.ts';

export interface RegistryAuth {
  readonly registry: string;
  readonly repository: string;
  readonly actions: 'pull' | 'pull,push';
}

const MAX_TOKEN_BYTES = 65_536;

const dockerConfig = z.looseObject({
  auths: z.record(
    z.string(),
    z.looseObject({
      auth: z.string().optional(),
      username: z.string().optional(),
      password: z.string().optional(),
    }),
  ),
});

/** `user:password` of this registry in base64; null: nobody is named. Throws FetchError for a Secret that cannot be read. */
export function registryLogin(
  registry: string,
  { secret, rules }: Pick<StoreCall, 'secret' | 'rules'>,
): string | null {
  const text = secret.get('.dockerconfigjson');
  if (text !== undefined) return fromDockerConfig(registry, text, rules.fields.credentials);
  const username = secretValue(secret, 'username');
  const password = secretValue(secret, 'password');
  if (username !== '') return toBase64(username, password);
  if (secret.size === 0) return null;
  throw fetchFailed(
    `The Secret of ${rules.fields.credentials} has neither .dockerconfigjson nor username and password; correct it.`,
  );
}

function fromDockerConfig(registry: string, text: string, field: string): string | null {
  const parsed = dockerConfig.safeParse(parseJson(text));
  if (!parsed.success) {
    throw fetchFailed(
      `The key .dockerconfigjson in the Secret of ${field} is no Docker configuration; create it with \`kubectl create secret docker-registry\`.`,
    );
  }
  const found = Object.entries(parsed.data.auths).find(([name]) => hostOf(name) === registry)?.[1];
  if (found === undefined) return null;
  const { auth = '', username = '', password = '' } = found;
  return username === '' ? auth : toBase64(username, password);
}

/** Docker writes some hosts as URLs. */
function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function toBase64(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

/** The header that answers a registry's challenge; null: it asks for what nobody can give. */
export async function answerChallenge(
  challenge: string,
  auth: RegistryAuth,
  call: StoreCall,
): Promise<string | null> {
  const login = registryLogin(auth.registry, call);
  const [, scheme = '', rest = ''] = /^\s*([A-Za-z]+)\s*(.*)$/.exec(challenge) ?? [];
  if (scheme.toLowerCase() === 'basic') return login === null ? null : `Basic ${login}`;
  if (scheme.toLowerCase() !== 'bearer') return null;
  const token = await askToken(tokenUrl(rest, auth), login, call);
  return `Bearer ${token}`;
}

function tokenUrl(parameters: string, { registry, repository, actions }: RegistryAuth): URL {
  const valueOf = (name: string): string =>
    new RegExp(`(?:^|[\\s,])${name}="([^"]*)"`, 'i').exec(parameters)?.[1] ?? '';
  const realm = valueOf('realm');
  // A password goes to where the registry says, but never in the clear.
  if (!URL.canParse(realm) || new URL(realm).protocol !== 'https:') {
    throw fetchFailed(
      `Registry ${registry} sends to a token service that is not https://; look at that registry.`,
    );
  }
  const url = new URL(realm);
  const service = valueOf('service');
  if (service !== '') url.searchParams.set('service', service);
  url.searchParams.set('scope', `repository:${repository}:${actions}`);
  return url;
}

const tokenAnswer = z.looseObject({
  token: z.string().optional(),
  access_token: z.string().optional(),
});

async function askToken(url: URL, login: string | null, call: StoreCall): Promise<string> {
  const headers: Record<string, string> = login === null ? {} : { authorization: `Basic ${login}` };
  const response = await sendRequest(url, { method: 'GET', headers }, call.rules);
  const status = response.statusCode ?? 0;
  if (status !== 200) {
    response.destroy();
    throw new StatusError(url, { status }, call.rules.fields);
  }
  const text = (
    await readBytes(url, response, { maxBytes: MAX_TOKEN_BYTES, fields: call.rules.fields })
  ).toString('utf8');
  const parsed = tokenAnswer.safeParse(parseJson(text));
  const token = parsed.success ? (parsed.data.token ?? parsed.data.access_token ?? '') : '';
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw fetchFailed(`${shownUrl(url)} gives no token; look at that service.`);
}
