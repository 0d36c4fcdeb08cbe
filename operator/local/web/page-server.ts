import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';
import type { PageEvent, PageState } from '../page/state/page-state.ts';
import type { Asset } from './assets.ts';
import { createEventStreams, toEvent } from './event-stream.ts';
import { assessRequest } from './guard.ts';

/** The page's server: loopback only, read only, nothing it says comes from a request. */
export interface PageServer {
  readonly url: string;
  /** To every open page. */
  send(event: PageEvent): void;
  /** Ends the streams; connections that do not end at once are cut. */
  close(): Promise<void>;
}

export interface PageServerOptions {
  /** 0: a free one. */
  readonly port: number;
  /** As the error names it when the port is taken. */
  readonly portFlag: '--port' | '--dashboard-port';
  readonly assets: ReadonlyMap<string, Asset>;
  readonly state: () => PageState;
}

const LIMITS = { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 16_384 };
const MOST_CONNECTIONS = 128;
const GRACE_MS = 250;

/** Nothing from elsewhere is loaded, nothing is sent elsewhere, and no other page may hold this one in a frame. */
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const streams = createEventStreams();
  const server = createServer(LIMITS, (request, response) => {
    answer(request, response);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const refusal = assessRequest(request.method ?? '', request.headers);
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const asset = options.assets.get(path);
    if (refusal !== null) sendText(request, response, refusal);
    else if (asset !== undefined) sendBytes(request, response, asset);
    else if (path === '/api/state') sendState(request, response);
    else if (path === '/api/events') openStream(request, response);
    else sendText(request, response, { status: 404, text: 'There is / and /api/state here.\n' });
  }

  function sendState(request: IncomingMessage, response: ServerResponse): void {
    const bytes = Buffer.from(JSON.stringify(options.state()));
    sendBytes(request, response, { contentType: 'application/json', bytes });
  }

  function openStream(request: IncomingMessage, response: ServerResponse): void {
    const headers = { ...SECURITY_HEADERS, 'content-type': 'text/event-stream' };
    if (request.method === 'HEAD') {
      response.writeHead(200, headers).end();
      return;
    }
    if (streams.isFull) {
      sendText(request, response, { status: 503, text: 'Too many pages are open: close one.\n' });
      return;
    }
    // The whole first, then what changes: a page that comes again needs nothing of what it knew.
    streams.add(response.writeHead(200, headers), toEvent('state', options.state()));
  }

  return {
    url: `http://127.0.0.1:${port}`,
    send: (event) => {
      if (streams.size > 0) streams.send(toEvent('tick', event));
    },
    close: () =>
      new Promise((resolve) => {
        streams.end();
        const cut = setTimeout(() => {
          server.closeAllConnections();
        }, GRACE_MS);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function listen(
  server: Server,
  { port, portFlag }: Pick<PageServerOptions, 'port' | 'portFlag'>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new CliError('PortInUse', {
          where: `${portFlag} ${port}`,
          why:
            error.code === 'EADDRINUSE' ? 'another process listens on it.' : `${errorText(error)}.`,
          nextStep: `Stop the other process, or leave ${portFlag} out for a free one.`,
          cause: error,
        }),
      );
    });
    server.listen(port, '127.0.0.1', () => {
      resolve();
    });
  });
}

function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  { status, text }: { readonly status: number; readonly text: string },
): void {
  if (status === 405) response.setHeader('allow', 'GET, HEAD');
  const bytes = Buffer.from(text);
  sendBytes(request, response, { contentType: 'text/plain; charset=utf-8', bytes, status });
}

function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  { contentType, bytes, status = 200 }: Asset & { readonly status?: number },
): void {
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    'content-type': contentType,
    'content-length': bytes.byteLength,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
