import type { LookupAddress } from 'node:dns';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { connect, rootCertificates } from 'node:tls';
import type { AllowedHosts } from './allowed-hosts.ts';
import { checkedAddresses, checkedHost, literalHost, type Resolve } from './checked-addresses.ts';
import { fetchFailed, shownUrl, StatusError } from './fetch-problem.ts';
import { openTunnel, proxyFor, type ProxySetting } from './proxy-tunnel.ts';

export interface FetchRules {
  readonly allowedHosts: AllowedHosts;
  readonly proxy: ProxySetting;
  readonly resolve: Resolve;
  /** Trusted beside the CAs of Node. */
  readonly extraCas: readonly string[];
  /** Sent to the origin of the first URL only. */
  readonly authorization: string | null;
  /** Silence that ends an attempt. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The answer of status 200 behind a URL and at most three redirects, each checked like the first. */
export async function openUrl(first: URL, rules: FetchRules): Promise<IncomingMessage> {
  let url = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await requestOnce(url, first.origin, rules);
    const status = response.statusCode ?? 0;
    if (status === 200) return response;
    response.destroy();
    if (!REDIRECTS.has(status)) throw new StatusError(url, status);
    url = redirectTarget(url, response.headers.location);
  }
  throw fetchFailed(
    `${shownUrl(first)} redirects more than ${MAX_REDIRECTS} times; use the URI it ends at.`,
  );
}

function redirectTarget(from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw fetchFailed(`${shownUrl(from)} redirects to nowhere; look at that server.`);
  }
  const to = new URL(location, from);
  const isSafer =
    to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
  if (!isSafer || to.username !== '' || to.password !== '') {
    throw fetchFailed(
      `${shownUrl(from)} redirects to ${to.protocol}//${to.host}; only https:// without a password is followed from there.`,
    );
  }
  return to;
}

async function requestOnce(
  url: URL,
  authorizedOrigin: string,
  rules: FetchRules,
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    method: 'GET',
    timeout: rules.idleMs,
    signal: rules.signal,
    headers: {
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'layercache',
      ...(rules.authorization !== null && url.origin === authorizedOrigin
        ? { authorization: rules.authorization }
        : {}),
    },
  };
  const way = await openWay(url, rules);
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = send(url, { ...options, ...way });
    outgoing.on('timeout', () => {
      const seconds = rules.idleMs / 1000;
      outgoing.destroy(
        fetchFailed(`${shownUrl(url)} was silent for ${seconds} s; look at that server.`),
      );
    });
    outgoing.on('error', reject);
    outgoing.on('response', resolve);
    outgoing.end();
  });
}

/** How the request gets there: pinned to the checked addresses, or through the proxy. */
async function openWay(url: URL, rules: FetchRules): Promise<RequestOptions> {
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
