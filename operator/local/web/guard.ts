import type { IncomingHttpHeaders } from 'node:http';

/** Why a request is not answered: a status and a sentence. */
export interface Refusal {
  readonly status: 403 | 405 | 421;
  readonly text: string;
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Any web page a person has open may send requests to loopback, and a name of its own may resolve to 127.0.0.1 (DNS
 * rebinding). So the Host must be a loopback name, whatever its port (people forward ports), a browser's Origin must be this
 * page's own, and what a browser says comes from another site gets no data. Null: the request may be answered.
 */
export function assessRequest(method: string, headers: IncomingHttpHeaders): Refusal | null {
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, text: 'This page only shows: use GET.\n' };
  }
  const { host = '', origin } = headers;
  if (!isLoopbackHost(host)) {
    return {
      status: 421,
      text: `The Host ${JSON.stringify(host.slice(0, 100))} is not this machine: open http://127.0.0.1 with the port that the terminal shows.\n`,
    };
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, text: 'Requests from other origins are not answered.\n' };
  }
  const isForeign = ['cross-site', 'same-site'].includes(String(headers['sec-fetch-site']));
  // A link from elsewhere may open the page itself; it shows nothing to the site that it came from.
  if (isForeign && headers['sec-fetch-mode'] !== 'navigate') {
    return { status: 403, text: 'Requests from other sites are not answered.\n' };
  }
  return null;
}

/** Exactly a loopback name, with a port or without: no user part, no trailing dot, no other spelling. */
function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d{1,5}$/, '');
  return LOOPBACK_NAMES.includes(name);
}
