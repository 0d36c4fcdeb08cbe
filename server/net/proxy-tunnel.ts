import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { fetchFailed } from './fetch-problem.ts';
import { literalHost } from './checked-addresses.ts';

export interface ProxySetting {
  /** Null: none. */
  readonly url: string | null;
  /** NO_PROXY: comma-separated names, `.suffix`, `*`. */
  readonly exceptions: string;
}

/** The proxy that a request to `url` goes through, or null. Only https:// is tunnelled: the proxy sees names, never content. */
export function proxyFor(url: URL, { url: proxy, exceptions }: ProxySetting): URL | null {
  if (proxy === null || url.protocol !== 'https:') return null;
  const host = literalHost(url);
  const isExcepted = exceptions.split(',').some((entry) => {
    const name = entry
      .trim()
      .toLowerCase()
      .replace(/^\*?\./, '');
    return name === '*' || (name !== '' && (host === name || host.endsWith(`.${name}`)));
  });
  if (isExcepted) return null;
  if (!URL.canParse(proxy) || new URL(proxy).protocol !== 'http:') {
    throw fetchFailed('HTTPS_PROXY is not of the form http://host:port; correct or remove it.');
  }
  return new URL(proxy);
}

/** A connection to the target through the proxy; TLS is spoken through it with the target itself. */
export function openTunnel(
  proxy: URL,
  target: URL,
  { idleMs, signal }: { readonly idleMs: number; readonly signal: AbortSignal },
): Promise<Duplex> {
  const authority = `${target.hostname}:${target.port === '' ? '443' : target.port}`;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: literalHost(proxy),
      port: proxy.port === '' ? 80 : Number(proxy.port),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyAuthorization(proxy) },
      agent: false,
      timeout: idleMs,
      signal,
    });
    outgoing.on('timeout', () => {
      outgoing.destroy(fetchFailed(`The proxy ${proxy.host} did not answer; check HTTPS_PROXY.`));
    });
    outgoing.on('error', reject);
    outgoing.on('connect', (response, socket) => {
      if (response.statusCode === 200) {
        socket.setTimeout(0);
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(
        fetchFailed(
          `The proxy ${proxy.host} answers ${response.statusCode ?? '?'} for ${authority}; allow it there, or name the host in NO_PROXY.`,
        ),
      );
    });
    outgoing.end();
  });
}

function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}
