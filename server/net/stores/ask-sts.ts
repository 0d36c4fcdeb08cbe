// AssumeRoleWithWebIdentity: the token of the pod's account for keys of a role (AWS STS API 2011-06-15).
import { fetchFailed, StatusError } from '../fetch-problem.ts';
import { readBytes } from '../read-bytes.ts';
import { sendRequest, type NetRules } from '../send-request.ts';
import type { AwsIdentitySource } from './aws-identity-settings.ts';
import type { AwsKeys } from './aws-identity.ts';
import { readTokenFile } from './read-token-file.ts';

const MAX_ANSWER_BYTES = 65_536;

const FIELDS = {
  uri: 'AWS_ENDPOINT_URL_STS',
  credentials: 'AWS_ROLE_ARN: its trust policy has to name this service account',
};

export async function askSts(
  source: Extract<AwsIdentitySource, { kind: 'WebIdentity' }>,
  region: string,
  rules: NetRules,
): Promise<AwsKeys> {
  const { roleArn, sessionName, tokenFile, endpoint } = source;
  if (roleArn === '') {
    throw fetchFailed('AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; set both.');
  }
  const url = stsUrl(endpoint, region);
  // Read each time: the kubelet renews it.
  const token = await readTokenFile(tokenFile, 'AWS_WEB_IDENTITY_TOKEN_FILE');
  const body = new URLSearchParams({
    ...{ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15' },
    ...{ RoleArn: roleArn, RoleSessionName: sessionName, WebIdentityToken: token },
  });
  const fields = { ...FIELDS, caBundle: rules.fields.caBundle };
  const response = await sendRequest(
    url,
    {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(body.toString()),
    },
    { ...rules, fields },
  );
  const status = response.statusCode ?? 0;
  const text = (await readBytes(url, response, { maxBytes: MAX_ANSWER_BYTES, fields })).toString();
  if (status !== 200) {
    const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(text)?.[1] ?? '';
    throw new StatusError(url, { status: refusalOf(status), code }, fields);
  }
  return readKeys(url, text);
}

/** STS calls a token that it does not accept a bad request. */
function refusalOf(status: number): number {
  return status === 400 ? 403 : status;
}

function stsUrl(endpoint: string | null, region: string): URL {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const text = endpoint ?? `https://sts.${region}.${domain}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  // What is sent is as good as a password.
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url))) return url;
  throw fetchFailed('AWS_ENDPOINT_URL_STS is no https:// URL; correct it.');
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === '127.0.0.1' || hostname === '[::1]';
}

function readKeys(url: URL, text: string): AwsKeys {
  const valueOf = (name: string): string =>
    new RegExp(`<${name}>\\s*([^<\\s]+)\\s*</${name}>`).exec(text)?.[1] ?? '';
  const keys = {
    accessKeyId: valueOf('AccessKeyId'),
    secretAccessKey: valueOf('SecretAccessKey'),
    sessionToken: valueOf('SessionToken'),
    expiresMs: Date.parse(valueOf('Expiration')),
  };
  if (keys.accessKeyId !== '' && keys.secretAccessKey !== '') return keys;
  throw fetchFailed(`${url.origin} gives no keys; look at that server.`);
}
