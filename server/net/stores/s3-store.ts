// Amazon S3 and what speaks its API: one GET or PUT per bundle, signed by aws4fetch, sent by our own transport.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { AwsV4Signer } from 'aws4fetch';
import { credentialsPlace, fetchFailed, StatusError, type PlaceFields } from '../fetch-problem.ts';
import { isRedirect } from '../open-url.ts';
import { readBytes } from '../read-bytes.ts';
import { sendRequest, type NetRequest } from '../send-request.ts';
import { secretValue, type StoreCall } from './store-access.ts';
import type { S3Place } from './store-uri.ts';

const MAX_ERROR_BYTES = 16_384;

/** The bytes of an object. Redirects are not followed: a signature holds for one host. */
export async function getObject(place: S3Place, call: StoreCall): Promise<Uint8Array> {
  const url = urlOf(place, call);
  const response = await send(url, { method: 'GET' }, call);
  return readBytes(url, response, { ...call, fields: call.rules.fields });
}

/** Writes an object whole; writing the same again changes nothing. With `onlyIfAbsent` a store that has one answers 412. */
export async function putObject(
  place: S3Place,
  bytes: Uint8Array,
  call: StoreCall,
  { onlyIfAbsent = false }: { readonly onlyIfAbsent?: boolean } = {},
): Promise<void> {
  const headers = {
    'content-type': 'application/octet-stream',
    ...(onlyIfAbsent ? { 'if-none-match': '*' } : {}),
  };
  const response = await send(urlOf(place, call), { method: 'PUT', headers, body: bytes }, call);
  response.destroy();
}

/** With an endpoint the bucket is part of the path: names of buckets under it seldom resolve. */
function urlOf({ bucket, key }: S3Place, { secret, rules }: StoreCall): URL {
  const path = key.split('/').map(encodeURIComponent).join('/');
  const endpoint = secretValue(secret, 'AWS_ENDPOINT_URL');
  if (endpoint !== '') return new URL(`${endpointOf(endpoint, rules.fields)}/${bucket}/${path}`);
  const host = `s3.${regionOf(secret)}.amazonaws.com`;
  // The certificate of the service does not cover names with further dots.
  return new URL(
    bucket.includes('.')
      ? `https://${host}/${bucket}/${path}`
      : `https://${bucket}.${host}/${path}`,
  );
}

function endpointOf(endpoint: string, fields: PlaceFields): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  const isUsable =
    url !== null && ['http:', 'https:'].includes(url.protocol) && url.username === '';
  if (isUsable) return url.href.replace(/[?#].*$/, '').replace(/\/+$/, '');
  throw fetchFailed(
    `AWS_ENDPOINT_URL in ${credentialsPlace(fields)} is no URL such as https://minio.example.com; correct it.`,
  );
}

function regionOf(secret: ReadonlyMap<string, string>): string {
  const region = secretValue(secret, 'AWS_REGION');
  return /^[a-z0-9-]{1,64}$/.test(region) ? region : 'us-east-1';
}

async function send(
  url: URL,
  request: NetRequest,
  { secret, rules }: StoreCall,
): Promise<IncomingMessage> {
  const headers = await signed(url, request, { secret, fields: rules.fields });
  const response = await sendRequest(url, { ...request, headers }, rules);
  const status = response.statusCode ?? 0;
  if (status === 200) return response;
  if (isRedirect(status)) {
    response.destroy();
    throw fetchFailed(
      `${url.origin}${url.pathname} redirects (${status}): the bucket is somewhere else; set AWS_REGION or AWS_ENDPOINT_URL in ${credentialsPlace(rules.fields)}.`,
    );
  }
  throw new StatusError(
    url,
    { status, code: await codeOf(url, response, rules.fields) },
    rules.fields,
  );
}

/** Without keys the request is sent as anybody's, for buckets that everybody may use. */
async function signed(
  url: URL,
  { method, headers = {}, body }: NetRequest,
  {
    secret,
    fields,
  }: { readonly secret: ReadonlyMap<string, string>; readonly fields: PlaceFields },
): Promise<Record<string, string>> {
  if (secret.size === 0) return { ...headers };
  const accessKeyId = secretValue(secret, 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = secretValue(secret, 'AWS_SECRET_ACCESS_KEY');
  const sessionToken = secretValue(secret, 'AWS_SESSION_TOKEN');
  const isAnybody = accessKeyId === '' && secretAccessKey === '' && secret.has('AWS_ENDPOINT_URL');
  if (isAnybody) return { ...headers };
  if (!isPrintable(accessKeyId) || !isPrintable(secretAccessKey)) {
    throw fetchFailed(
      `AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed, each one word; correct ${credentialsPlace(fields)}.`,
    );
  }
  const hash = createHash('sha256')
    .update(body ?? '')
    .digest('hex');
  const signer = new AwsV4Signer({
    ...{ method, url: url.href, accessKeyId, secretAccessKey },
    ...(isPrintable(sessionToken) ? { sessionToken } : {}),
    ...{ service: 's3', region: regionOf(secret) },
    headers: { ...headers, 'X-Amz-Content-Sha256': hash },
  });
  return Object.fromEntries((await signer.sign()).headers);
}

/** A header of other characters would make Node throw with the value in its message. */
function isPrintable(value: string): boolean {
  return /^[\x21-\x7e]+$/.test(value);
}

/** `<Code>` of an error document, such as AccessDenied or SignatureDoesNotMatch. */
async function codeOf(url: URL, response: IncomingMessage, fields: PlaceFields): Promise<string> {
  const bytes = await readBytes(url, response, { maxBytes: MAX_ERROR_BYTES, fields }).catch(() =>
    Buffer.alloc(0),
  );
  return /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(bytes.toString('utf8'))?.[1] ?? '';
}
