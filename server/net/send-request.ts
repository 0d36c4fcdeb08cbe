import type { LookupAddress } from 'node:dns';
import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { connect, rootCertificates } from 'node:tls';
import type { AllowedHosts } from './allowed-hosts.ts';
import { checkedAddresses, checkedHost, literalHost, type Resolve } from './checked-addresses.ts';
import { fetchFailed, shownUrl, toFetchError, type PlaceFields } from './fetch-problem.ts';
import { openTunnel, proxyFor, type ProxySetting } from './proxy-tunnel.ts';

/** What every request of a transfer keeps to. */
export interface NetRules {
  readonly allowedHosts: AllowedHosts;
  readonly proxy: ProxySetting;
  readonly resolve: Resolve;
  /** Trusted beside the CAs of Node. */
  readonly extraCas: readonly string[];
  /** Silence that ends an attempt. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
  readonly fields: PlaceFields;
}

export interface NetRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** One request to the checked addresses of its host, without following anything; any status is an answer. Throws FetchError. */
export async function sendRequest(
  url: URL,
  request: NetRequest,
  rules: NetRules,
): Promise<IncomingMessage> {
  try {
    return await sendTo(url, request, rules);
  } catch (error) {
    throw toFetchError(url, error, rules.fields);
  }
}

async function sendTo(
  url: URL,
  { method, headers = {}, body }: NetRequest,
  rules: NetRules,
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    method,
    timeout: rules.idleMs,
    signal: rules.signal,
    headers: {
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'layercache',
      ...(body === undefined ? {} : { 'content-length': body.length }),
      ...headers,
    },
  };
  const way = await openWay(url, rules);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const seconds = rules.idleMs / 1000;
  const silence = `${shownUrl(url)} was silent for ${seconds} s; look at that server.`;
  return exchange(send(url, { ...options, ...way }), silence, body);
}

/** Ends a request that has just been made, and gives the head of its answer. Silence, as the request's `timeout` has it, is told so. */
export function exchange(
  outgoing: ClientRequest,
  silence: string,
  body?: Uint8Array,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('timeout', () => {
      outgoing.destroy(fetchFailed(silence));
    });
    outgoing.on('error', reject);
    outgoing.on('response', resolve);
    outgoing.end(body);
  });
}

/** How the request gets there: pinned to the checked addresses, or through the proxy. */
async function openWay(url: URL, rules: NetRules): Promise<RequestOptions> {
  const trust = {
    minVersion: 'TLSv1.2' as const,
    ...(rules.extraCas.length === 0 ? {} : { ca: [...rootCertificates, ...rules.extraCas] }),
  };
  const proxy = proxyFor(url, rules.proxy);
  if (proxy === null)
    return { ...trust, agent: false, lookup: only(await checkedAddresses(url, rules)) };
  checkedHost(url, rules.allowedHosts);
  const host = literalHost(url);
  const socket = await openTunnel(proxy, url, rules);
  // Node asks `createConnection` only where no agent is named.
  return {
    createConnection: () =>
      connect({ ...trust, socket, ...(isIP(host) === 0 ? { servername: host } : { host }) }),
  };
}

/** A look-up that knows nothing but these addresses. */
function only(addresses: readonly LookupAddress[]): LookupFunction {
  return (_, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}
