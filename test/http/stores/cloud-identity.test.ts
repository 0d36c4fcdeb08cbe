// Who a pod is in a cloud, without a Secret: against STS and an agent on loopback that look at what they are asked.
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { readAwsIdentity } from '../../../server/net/stores/aws-identity-settings.ts';
import { createAwsIdentity, type AwsIdentity } from '../../../server/net/stores/aws-identity.ts';
import {
  fetchBundle,
  isWorthRepeating,
  storeBundle,
  type TransferRules,
} from '../../../server/net/stores/transfer-bundle.ts';
import { createHeadFetch } from '../../../server/store/fetch-heads.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { hostBench } from '../../support/host-bench.ts';
import type { ModelHost } from '../../support/model-host.ts';
import { allowedHosts, placeOf, transferRules } from '../../support/store-rules.ts';

const BYTES = Buffer.from('as good as a bundle for a store');
const ROLE = 'arn:aws:iam::123456789012:role/heads';
const HOUR = 3_600_000;

const bench = hostBench();

const hostOf = (
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void> | void,
): Promise<ModelHost> => {
  const options = { name: '127.0.0.1', secure: false };
  return bench.host((request, response) => void answer(request, response), options);
};

function tokenFile(token: string): string {
  const path = join(bench.dir(), 'token');
  writeFileSync(path, `${token}\n`);
  return path;
}

/** An S3 that says by whose keys it was asked. */
async function startS3(): Promise<{ readonly host: ModelHost; readonly askers: string[] }> {
  const askers: string[] = [];
  const host = await hostOf((request, response) => {
    const { authorization = '', 'x-amz-security-token': session = '' } = request.headers;
    askers.push(`${/Credential=([^/]+)/.exec(authorization)?.[1] ?? 'nobody'} ${String(session)}`);
    response.end(BYTES);
  });
  return { host, askers };
}

interface Sts {
  readonly host: ModelHost;
  readonly asked: URLSearchParams[];
  /** Of the next answers; null: keys for an hour. */
  trouble: { readonly status: number; readonly code: string } | null;
}

/** STS as far as one action of it: refuses any other request. */
async function startSts(clock: { nowMs(): number }): Promise<Sts> {
  const asked: URLSearchParams[] = [];
  const sts: Omit<Sts, 'host'> = { asked, trouble: null };
  const host = await hostOf(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    asked.push(form);
    const isAsked =
      request.method === 'POST' &&
      request.headers['content-type'] === 'application/x-www-form-urlencoded' &&
      request.headers.authorization === undefined &&
      form.get('Action') === 'AssumeRoleWithWebIdentity' &&
      form.get('Version') === '2011-06-15';
    const { status, code } = sts.trouble ?? { status: isAsked ? 200 : 400, code: 'MalformedInput' };
    const expiration = new Date(clock.nowMs() + HOUR).toISOString();
    response.writeHead(status, { 'content-type': 'text/xml' }).end(
      status === 200
        ? `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
             <AccessKeyId>ASIA${asked.length}</AccessKeyId><SecretAccessKey>s3cr3t</SecretAccessKey>
             <SessionToken>session${asked.length}</SessionToken><Expiration>${expiration}</Expiration>
           </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
        : `<ErrorResponse><Error><Code>${code}</Code><Message>t0ken</Message></Error></ErrorResponse>`,
    );
  });
  return Object.assign(sts, { host });
}

type Environment = Readonly<Record<string, string | undefined>>;

function identityOf(environment: Environment, clock = fakeClock()): AwsIdentity {
  return createAwsIdentity(readAwsIdentity(environment)!, clock);
}

const rulesWith = (identity: AwsIdentity): TransferRules =>
  transferRules({
    access: { credentialsDir: null, caBundleDir: null, identity },
    allowed: '127.0.0.1',
    limits: { totalMs: 10_000, idleMs: 5_000 },
  });

async function fetchAs(rules: TransferRules): Promise<string> {
  const fetched = await fetchBundle(placeOf('s3://heads/a'), 'sha256:0', rules);
  return fetched.ok ? 'it came' : fetched.message;
}

async function webIdentity(more: Environment = {}) {
  const clock = fakeClock();
  const sts = await startSts(clock);
  const s3 = await startS3();
  const environment = {
    AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile('t0ken-1'),
    AWS_ROLE_ARN: ROLE,
    AWS_REGION: 'eu-west-3',
    AWS_ENDPOINT_URL_STS: sts.host.url(''),
    AWS_ENDPOINT_URL_S3: s3.host.url(''),
    ...more,
  };
  return { clock, sts, s3, rules: rulesWith(identityOf(environment, clock)) };
}

describe('a web identity', () => {
  test('is exchanged at STS for keys of its role, and S3 is asked with these', async () => {
    const { sts, s3, rules } = await webIdentity();
    expect(await fetchAs(rules)).toBe('it came');
    expect(Object.fromEntries(sts.asked[0]!)).toEqual({
      ...{ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15' },
      ...{ RoleArn: ROLE, RoleSessionName: 'layercache', WebIdentityToken: 't0ken-1' },
    });
    expect(s3.askers).toEqual(['ASIA1 session1']);
    expect(s3.host.asked[0]).toContain('/eu-west-3/s3/aws4_request');
  });

  test('is asked for once by transfers at the same time, and again before its keys expire, with the token of then', async () => {
    const { clock, sts, s3, rules } = await webIdentity();
    await Promise.all([fetchAs(rules), fetchAs(rules)]);
    clock.advance(HOUR - 300_001);
    await fetchAs(rules);
    expect(sts.asked).toHaveLength(1);
    tokenFile('t0ken-2');
    clock.advance(1);
    await fetchAs(rules);
    expect(sts.asked.map((form) => form.get('WebIdentityToken'))).toEqual(['t0ken-1', 't0ken-2']);
    expect(s3.askers.at(-1)).toBe('ASIA2 session2');
  });

  test('keeps its keys to their end while STS is away, and no longer', async () => {
    const { clock, sts, s3, rules } = await webIdentity();
    await fetchAs(rules);
    sts.trouble = { status: 503, code: 'ServiceUnavailable' };
    clock.advance(HOUR - 1);
    expect(await fetchAs(rules)).toBe('it came');
    clock.advance(1);
    expect(await fetchAs(rules)).toMatch(/answers 503 \(ServiceUnavailable\)/);
    expect(s3.askers).toHaveLength(2);
  });

  test.each([
    [400, 'InvalidIdentityToken', false, /see AWS_ROLE_ARN: its trust policy has to name this/],
    [403, 'AccessDenied', false, /see AWS_ROLE_ARN/],
    [503, 'ServiceUnavailable', true, /look at that server/],
  ])('that STS answers with %i (%s) is told', async (status, code, isWorth, advice) => {
    const { sts, s3, rules } = await webIdentity();
    sts.trouble = { status, code };
    const bundle = { digest: 'sha256:0', bytes: BYTES };
    const failure = await storeBundle(placeOf('s3://heads/a'), bundle, rules).catch(
      (error: unknown) => error,
    );
    expect(String(failure)).toMatch(advice);
    expect(String(failure)).toContain(code);
    expect(String(failure)).not.toContain('t0ken');
    expect(isWorthRepeating(failure)).toBe(isWorth);
    expect(s3.askers).toEqual([]);
  });

  test.each<[string, Environment, RegExp]>([
    ['without a role', { AWS_ROLE_ARN: '' }, /AWS_ROLE_ARN is not; set both/],
    ['without its file', { AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere' }, /\/nowhere, cannot be read/],
    ['at an STS without TLS', { AWS_ENDPOINT_URL_STS: 'http://sts.test' }, /no https:\/\/ URL/],
    ['at an STS that is none', { AWS_ENDPOINT_URL_STS: 'sts' }, /no https:\/\/ URL/],
    [
      'at a host that is not allowed',
      { AWS_ENDPOINT_URL_STS: 'https://sts.test' },
      /ALLOWED_HOSTS/,
    ],
  ])('%s asks nobody, and says what is missing', async (_, environment, told) => {
    const { sts, s3, rules } = await webIdentity(environment);
    const said = await fetchAs(rules);
    expect(said).toMatch(told);
    expect(said).not.toContain('t0ken');
    expect([...sts.asked, ...s3.askers]).toEqual([]);
  });

  test('whose file holds more than a word sends nothing of it', async () => {
    const { sts, rules } = await webIdentity();
    tokenFile('two words');
    expect(await fetchAs(rules)).toMatch(/AWS_WEB_IDENTITY_TOKEN_FILE.*holds no token/);
    expect(sts.asked).toEqual([]);
  });

  test('that gives keys of the past is a matter of the clock', async () => {
    const { clock, rules } = await webIdentity();
    const s3 = await startS3();
    const sts = await startSts({ nowMs: () => clock.nowMs() - HOUR });
    const environment = {
      ...{ AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile('t0ken'), AWS_ROLE_ARN: ROLE },
      ...{ AWS_ENDPOINT_URL_STS: sts.host.url(''), AWS_ENDPOINT_URL_S3: s3.host.url('') },
    };
    const late = {
      ...rules,
      access: { ...rules.access, identity: identityOf(environment, clock) },
    };
    expect(await fetchAs(late)).toMatch(/expired already; check the clock of the node/);
  });
});

describe('an agent of the node', () => {
  test('gives keys to whoever has its token, and S3 is asked with these', async () => {
    const s3 = await startS3();
    const clock = fakeClock();
    const agent = await hostOf((request, response) => {
      if (request.url !== '/v1/credentials' || request.headers.authorization !== 't0ken') {
        response.writeHead(403).end();
        return;
      }
      const Expiration = new Date(clock.nowMs() + HOUR).toISOString();
      const keys = { AccessKeyId: 'ASIA9', SecretAccessKey: 's3cr3t', Token: 'session9' };
      response.end(JSON.stringify({ ...keys, Expiration }));
    });
    const environment = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: agent.url('/v1/credentials'),
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile('t0ken'),
      AWS_ENDPOINT_URL_S3: s3.host.url(''),
    };
    expect(await fetchAs(rulesWith(identityOf(environment, clock)))).toBe('it came');
    expect(s3.askers).toEqual(['ASIA9 session9']);
    tokenFile('another');
    const refused = await fetchAs(rulesWith(identityOf(environment, clock)));
    expect(refused).toMatch(/answers 403.*association of this service account/);
    expect(refused).not.toContain('another');
  });

  test.each([
    'http://169.254.169.254/latest',
    'http://10.0.0.1/x',
    'http://agent.test/x',
    'ftp://127.0.0.1/x',
    'agent',
  ])('is never looked for at %s', async (url) => {
    const environment = { AWS_CONTAINER_CREDENTIALS_FULL_URI: url };
    expect(await fetchAs(rulesWith(identityOf(environment)))).toMatch(
      /neither https:\/\/ nor http:\/\/ at an agent of this node/,
    );
  });

  test.each([
    ['no JSON', '<html>'],
    ['no keys', '{"Expiration":"2030-01-01T00:00:00Z"}'],
  ])('that gives %s is told', async (_, body) => {
    const agent = await hostOf((__, response) => {
      response.end(body);
    });
    const environment = { AWS_CONTAINER_CREDENTIALS_FULL_URI: agent.url('/') };
    expect(await fetchAs(rulesWith(identityOf(environment)))).toMatch(/gives no keys/);
  });

  test('that says nothing is left after the silence of a transfer', async () => {
    const agent = await hostOf(() => undefined);
    const environment = { AWS_CONTAINER_CREDENTIALS_FULL_URI: agent.url('/') };
    const rules = rulesWith(identityOf(environment));
    expect(await fetchAs({ ...rules, net: { ...rules.net, idleMs: 50 } })).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+ was silent for 0\.05 s; look at that agent\.$/,
    );
  });
});

describe('a Secret', () => {
  test('with keys comes before any identity; one that only says where the store is goes with it', async () => {
    const { s3, sts, rules } = await webIdentity({ AWS_ENDPOINT_URL_S3: undefined });
    const keys = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'x' };
    const at = { AWS_ENDPOINT_URL: s3.host.url('') };
    const own = bench.mount('keys', { ...keys, ...at });
    await fetchAs({ ...rules, access: { ...rules.access, credentialsDir: own } });
    expect(sts.asked).toEqual([]);
    const place = bench.mount('place', at);
    await fetchAs({ ...rules, access: { ...rules.access, credentialsDir: place } });
    expect(s3.askers).toEqual(['AKIA ', 'ASIA1 session1']);
  });
});

test('a server shows its identity to the store of its service, and to no other bucket', async () => {
  const clock = fakeClock();
  const sts = await startSts(clock);
  const s3 = await startS3();
  const fetch = createHeadFetch(
    {
      ...{ headStore: 's3://heads/vision', storeCredentialsDir: null, storeCaBundleDir: null },
      awsIdentity: readAwsIdentity({
        ...{ AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile('t0ken'), AWS_ROLE_ARN: ROLE },
        ...{ AWS_ENDPOINT_URL_STS: sts.host.url(''), AWS_ENDPOINT_URL_S3: s3.host.url('') },
      }),
      allowedHosts: allowedHosts('127.0.0.1'),
      proxy: { url: null, exceptions: '' },
    },
    clock,
  );
  const transfer = { signal: new AbortController().signal, onBytes: () => undefined };
  const bring = async (uri: string): Promise<boolean> =>
    (await fetch(placeOf(uri), 'sha256:0', transfer)).ok;
  expect(await bring('s3://heads/vision/1')).toBe(true);
  expect(await bring('s3://somebody-elses/1')).toBe(false);
  expect(s3.askers).toEqual(['ASIA1 session1']);
});

test.each<[string, Environment, object | null]>([
  ['nothing', {}, null],
  ['a role alone', { AWS_ROLE_ARN: ROLE }, null],
  [
    'both kinds: the web identity',
    {
      ...{ AWS_WEB_IDENTITY_TOKEN_FILE: '/t', AWS_ROLE_ARN: ROLE, AWS_ROLE_SESSION_NAME: 'me' },
      ...{ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1/', AWS_DEFAULT_REGION: 'eu-1' },
    },
    {
      source: {
        ...{ kind: 'WebIdentity', tokenFile: '/t', roleArn: ROLE },
        ...{ sessionName: 'me', endpoint: null },
      },
      ...{ region: 'eu-1', s3Endpoint: null },
    },
  ],
  [
    'an agent, and a region that is none',
    { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1/', AWS_REGION: 'Hell o' },
    {
      source: { kind: 'Container', url: 'http://127.0.0.1/', tokenFile: null },
      ...{ region: 'us-east-1', s3Endpoint: null },
    },
  ],
])('an environment with %s', (_, environment, expected) => {
  expect(readAwsIdentity(environment)).toEqual(expected);
});
