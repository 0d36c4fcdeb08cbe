import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpServerOptions {
  /** Largest body announced with Expect: 100-continue that is asked for. */
  readonly maxBodyBytes: () => number;
}

/** Of every port. */
export const HTTP_LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 120_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5_000,
  noDelay: true,
} as const;
const MAX_CONNECTIONS = 1_024;

/** A node:http server with this program's limits instead of Node's (60 s, 300 s, no cap). */
export function createHttpServer(app: RequestListener, options: HttpServerOptions): Server {
  const server = createServer(HTTP_LIMITS, app);
  server.maxConnections = MAX_CONNECTIONS;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // Without "100 Continue" a client that waits for it never sends a body that would be refused.
    if (!(Number(request.headers['content-length']) > options.maxBodyBytes())) {
      response.writeContinue();
    }
    app(request, response);
  });
  return server;
}

/** Resolves with the port; rejects with Node's error (EADDRINUSE, EACCES). */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Ends idle connections, waits for busy ones until `withinMs`, then cuts them. */
export async function closeServer(server: Server, withinMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  // A connection that is kept alive turns idle only after its answer.
  const sweeper = setInterval(() => {
    server.closeIdleConnections();
  }, 20);
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, withinMs);
  await closed;
  clearTimeout(timer);
  clearInterval(sweeper);
}
