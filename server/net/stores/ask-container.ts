// Keys from an agent beside the pod: EKS Pod Identity and ECS, by AWS_CONTAINER_CREDENTIALS_FULL_URI.
import { request, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import { fetchFailed, StatusError, toFetchError } from '../fetch-problem.ts';
import { parseJson } from '../parse-json.ts';
import { readBytes } from '../read-bytes.ts';
import { exchange, sendRequest, type NetRules } from '../send-request.ts';
import type { AwsIdentitySource } from './aws-identity-settings.ts';
import type { AwsKeys } from './aws-identity.ts';
import { readTokenFile } from './read-token-file.ts';

const MAX_ANSWER_BYTES = 65_536;
/** The only places that are asked without TLS, as in the tools of AWS: this machine, and the agents of ECS and EKS. */
const PLAIN_HOSTS: ReadonlySet<string> = new Set([
  '127.0.0.1',
  '[::1]',
  '169.254.170.2',
  '169.254.170.23',
  '[fd00:ec2::23]',
]);

const FIELDS = {
  uri: 'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  credentials: 'the association of this service account with a role',
};

const answer = z.looseObject({
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  Token: z.string().default(''),
  Expiration: z.string(),
});

export async function askContainer(
  { url: text, tokenFile }: Extract<AwsIdentitySource, { kind: 'Container' }>,
  rules: NetRules,
): Promise<AwsKeys> {
  const url = agentUrl(text);
  const headers = await authorizationOf(tokenFile);
  const fields = { ...FIELDS, caBundle: rules.fields.caBundle };
  const response =
    url.protocol === 'http:'
      ? await askAgent(url, headers, { ...rules, fields })
      : await sendRequest(url, { method: 'GET', headers }, { ...rules, fields });
  const status = response.statusCode ?? 0;
  const bytes = await readBytes(url, response, { maxBytes: MAX_ANSWER_BYTES, fields });
  if (status !== 200) throw new StatusError(url, { status }, fields);
  return readKeys(url, bytes.toString());
}

function agentUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url?.protocol === 'http:' && PLAIN_HOSTS.has(url.hostname);
  if (url !== null && (isPlain || url.protocol === 'https:')) return url;
  throw fetchFailed(
    'AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https:// nor http:// at an agent of this node; correct it.',
  );
}

async function authorizationOf(tokenFile: string | null): Promise<Record<string, string>> {
  if (tokenFile === null) return {};
  const authorization = await readTokenFile(tokenFile, 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE');
  return { authorization };
}

function readKeys(url: URL, text: string): AwsKeys {
  const parsed = answer.safeParse(parseJson(text));
  if (!parsed.success) throw fetchFailed(`${url.origin} gives no keys; look at that agent.`);
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = parsed.data;
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: Token,
    expiresMs: Date.parse(Expiration),
  };
}

/** Agents have link-local addresses, which nothing else may reach. */
async function askAgent(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { idleMs, signal, fields }: NetRules,
): Promise<IncomingMessage> {
  try {
    const outgoing = request(url, { headers, signal, agent: false, timeout: idleMs });
    return await exchange(
      outgoing,
      `${url.origin} was silent for ${idleMs / 1000} s; look at that agent.`,
    );
  } catch (error) {
    throw toFetchError(url, error, fields);
  }
}
