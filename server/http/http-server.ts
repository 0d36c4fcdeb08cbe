import type {
  IncomingMessage,
  RequestListener,
  Server,
  ServerOptions,
  ServerResponse,
} from 'node:http';
import { STATUS_CODES, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { ServingError } from '../errors.ts';
import type { ConnectionLimits } from '../limits.ts';
import { STANDARD_CONNECTION_LIMITS } from '../limits.ts';

export interface HttpServerOptions {
  /** Largest body announced with Expect: 100-continue that is asked for. */
  readonly maxBodyBytes: () => number;
  /** @defaultValue the standard ones */
  readonly limits?: ConnectionLimits;
  /** What was no request at all, after its answer was sent. */
  readonly onRefused?: (error: ServingError) => void;
}

/** Of the admin port, which has a server of its own over TLS. */
export const HTTP_LIMITS = toNodeOptions(STANDARD_CONNECTION_LIMITS);

function toNodeOptions(limits: ConnectionLimits): ServerOptions {
  return {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: Math.max(limits.receiveTimeoutMs, limits.headersTimeoutMs),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(5_000, limits.headersTimeoutMs),
    noDelay: true,
  };
}

/** A node:http server with this program's limits instead of Node's (60 s, 300 s, no cap), and its form of errors. */
export function createHttpServer(app: RequestListener, options: HttpServerOptions): Server {
  const limits = options.limits ?? STANDARD_CONNECTION_LIMITS;
  const server = createServer(toNodeOptions(limits), app);
  server.maxConnections = limits.maxConnections;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // Without "100 Continue" a client that waits for it never sends a body that would be refused.
    if (!(Number(request.headers['content-length']) > options.maxBodyBytes())) {
      response.writeContinue();
    }
    app(request, response);
  });
  // Silence is allowed while an answer is computed; one that its client does not take is cut off, and so is a connection without
  // one: with a listener here Node leaves the end of keep-alive to it.
  server.setTimeout(limits.writeTimeoutMs, (socket: AnsweringSocket) => {
    if (socket.writableLength > 0 || !isAnswering(socket)) socket.destroy();
  });
  const refused = new WeakSet<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // More bytes of the same connection are more of the same error.
    if (refused.has(socket)) return;
    refused.add(socket);
    refuseRest(toRefusal(error.code, limits), socket, options.onRefused);
  });
  return server;
}

function toRefusal(code: string | undefined, limits: ConnectionLimits): ServingError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ServingError('header_too_large', { value: limits.maxHeaderBytes });
  }
  return new ServingError(
    code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'headers_too_slow' : 'malformed_http',
  );
}

/** Node's own record of the answer in progress; its default handler looks at it as well. */
interface AnsweringSocket extends Duplex {
  readonly _httpMessage?: ServerResponse | null;
}

function isAnswering(socket: AnsweringSocket): boolean {
  return (socket._httpMessage ?? null) !== null;
}

/** Answers what is no request, by hand, once every request before it has its answer; then the connection ends. */
function refuseRest(
  refusal: ServingError,
  socket: AnsweringSocket,
  onRefused: HttpServerOptions['onRefused'],
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const answer = socket._httpMessage ?? null;
  // The broken bytes may be the body of the request in progress, and then its answer is this one.
  if (answer !== null && (answer.req.complete || answer.headersSent)) {
    // Nothing after this is read, so that a client that takes no answer cannot stay by sending on.
    socket.pause();
    answer.once('finish', () => {
      refuseRest(refusal, socket, onRefused);
    });
    return;
  }
  const text = JSON.stringify({ error: refusal.message });
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n` +
      `connection: close\r\n\r\n${text}`,
    () => {
      socket.destroy();
    },
  );
  onRefused?.(refusal);
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
