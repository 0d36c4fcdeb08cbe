import { LoadError } from './load-error.ts';

/** Where a URL leads, without what may be a secret: signed URLs carry their signature in the query. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`.slice(0, 300);
}

const UNTRUSTED = 'is not trusted: put its CA into the ConfigMap of backbone.caBundleConfigMapName';

const ADVICE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name does not resolve: correct the host in backbone.uri',
  EAI_AGAIN: 'its name does not resolve now: check the DNS of the cluster and the network policy',
  ECONNREFUSED: 'nothing listens there: check host and port',
  ECONNRESET: 'the connection was cut: the server or something between broke off',
  EHOSTUNREACH: 'there is no route to it: check network and network policy',
  ENETUNREACH: 'there is no route to it: check network and network policy',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `its certificate ${UNTRUSTED}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `its certificate ${UNTRUSTED}`,
  SELF_SIGNED_CERT_IN_CHAIN: `its certificate ${UNTRUSTED}`,
  DEPTH_ZERO_SELF_SIGNED_CERT: `its certificate ${UNTRUSTED}`,
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it there, or check the clock of the node',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: use the name it was made for',
  EROFS: 'the cache directory cannot be written: mount a volume there',
  EACCES: 'the cache directory cannot be written: mount a volume that this user may write',
  ENOSPC: 'the cache volume is full: give it more room by podTemplate',
};

/** A failed attempt in one sentence. Node's own message names only the address, so the code chooses the advice. */
export function toFetchError(url: URL, error: unknown): LoadError {
  if (error instanceof LoadError) return error;
  const code = codeOf(error);
  const why = ADVICE[code] ?? (error instanceof Error ? error.message : String(error));
  const shown = code === '' ? '' : ` (${code})`;
  return fetchFailed(`${shownUrl(url)} cannot be fetched: ${why}${shown}.`, error);
}

export function fetchFailed(message: string, cause?: unknown): LoadError {
  return new LoadError('BackboneFetchFailed', message, cause === undefined ? {} : { cause });
}

/** With several addresses Node throws an AggregateError; the first of its causes speaks. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

const STATUS_ADVICE: Readonly<Record<number, string>> = {
  401: 'name a Secret with token, or username and password, in backbone.credentialsSecretName',
  403: 'the credentials may not read it, or there are none: see backbone.credentialsSecretName',
  404: 'correct backbone.uri',
  410: 'correct backbone.uri',
};

/** A server that answered, with another status than 200. */
export class StatusError extends LoadError {
  readonly status: number;

  constructor(url: URL, status: number) {
    const advice = STATUS_ADVICE[status] ?? 'look at that server';
    super('BackboneFetchFailed', `${shownUrl(url)} answers ${status}: ${advice}.`);
    this.status = status;
  }
}
