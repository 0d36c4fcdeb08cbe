/** How the place that is fetched from is configured, for advice. */
export interface PlaceFields {
  readonly uri: string;
  readonly credentials: string;
  readonly caBundle: string;
  /** Fields of a spec that name a Secret and a ConfigMap, or settings of the person who asks. @defaultValue 'Spec' */
  readonly writtenIn?: 'Spec' | 'CommandLine';
}

/** Where credentials are looked for, in running text. */
export function credentialsPlace({ credentials, writtenIn }: PlaceFields): string {
  return writtenIn === 'CommandLine' ? credentials : `the Secret of ${credentials}`;
}

/** A transfer that did not happen; the message names place, value and next step, never a secret. */
export class FetchError extends Error {
  override readonly name: string = 'FetchError';
}

/** A server that answered, with another status than was asked for. */
export class StatusError extends FetchError {
  override readonly name = 'StatusError';
  readonly status: number;

  constructor(
    url: URL,
    answer: { readonly status: number; readonly code?: string },
    fields: PlaceFields,
  ) {
    const { status, code = '' } = answer;
    const shown = code === '' ? `${status}` : `${status} (${code})`;
    super(`${shownUrl(url)} answers ${shown}: ${adviceOn(status, fields)}.`);
    this.status = status;
  }
}

/** Where a URL leads, without what may be a secret: signed URLs carry their signature in the query. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`.slice(0, 300);
}

export function fetchFailed(message: string, cause?: unknown): FetchError {
  return new FetchError(message, cause === undefined ? {} : { cause });
}

function adviceOn(status: number, fields: PlaceFields): string {
  const { uri, credentials, writtenIn } = fields;
  switch (status) {
    case 401:
      return writtenIn === 'CommandLine'
        ? `the credentials are not known there, or there are none: see ${credentials}`
        : `name a Secret with credentials in ${credentials}`;
    case 403:
      return `the credentials may not do that, or there are none: see ${credentials}`;
    case 404:
    case 410:
      return `correct ${uri}`;
    default:
      return 'look at that server';
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'its name does not resolve now: check the DNS of the cluster and the network policy',
  ECONNREFUSED: 'nothing listens there: check host and port',
  ECONNRESET: 'the connection was cut: the server or something between broke off',
  EHOSTUNREACH: 'there is no route to it: check network and network policy',
  ENETUNREACH: 'there is no route to it: check network and network policy',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it there, or check the clock of the node',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: use the name it was made for',
  EROFS: 'the cache directory cannot be written: mount a volume there',
  EACCES: 'the cache directory cannot be written: mount a volume that this user may write',
  ENOSPC: 'the cache volume is full: give it more room by podTemplate',
};

const UNTRUSTED: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/** A failed attempt in one sentence. Node's own message names only the address, so the code chooses the advice. */
export function toFetchError(url: URL, error: unknown, fields: PlaceFields): FetchError {
  if (error instanceof FetchError) return error;
  const code = codeOf(error);
  const why = adviceFor(code, fields) ?? (error instanceof Error ? error.message : String(error));
  const shown = code === '' ? '' : ` (${code})`;
  return fetchFailed(`${shownUrl(url)} cannot be fetched: ${why}${shown}.`, error);
}

function adviceFor(code: string, { uri, caBundle, writtenIn }: PlaceFields): string | undefined {
  if (code === 'ENOTFOUND') return `its name does not resolve: correct the host in ${uri}`;
  if (!UNTRUSTED.has(code)) return ADVICE[code];
  const place = writtenIn === 'CommandLine' ? caBundle : `the ConfigMap of ${caBundle}`;
  return `its certificate is not trusted: put its CA into ${place}`;
}

/** With several addresses Node throws an AggregateError; the first of its causes speaks. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
