import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

// The metrics port: /metrics for people, /livez and /readyz for the kubelet. It holds no secret and changes nothing, so it
// asks nobody who they are; a NetworkPolicy says who may come.

export interface ProbeDependencies {
  /** What keeps this process from doing its work, as one sentence; null: nothing. */
  readonly whyNotReady: () => string | null;
  readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** A page that could not be rendered; the next scrape tries again. */
  readonly onProblem: (error: unknown) => void;
}

export interface ProbeServer {
  readonly port: number;
  /** Ends at once: probes and scrapes come again. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly contentType?: string;
  readonly text?: string;
}

const LIMITS = { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 16_384 };
const MOST_CONNECTIONS = 64;
const PLAIN = 'text/plain; charset=utf-8';

/** Listens; rejects when the port is taken. `host` empty: every address; port 0: a free one. */
export async function startProbeServer(
  at: { readonly host: string; readonly port: number },
  dependencies: ProbeDependencies,
): Promise<ProbeServer> {
  const server = createServer(LIMITS, (request, response) => {
    void answer(request, response, dependencies);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, at);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, ...(host === '' ? [] : [host]), () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  dependencies: ProbeDependencies,
): Promise<void> {
  const { status, contentType = PLAIN, text = '' } = await answerOf(request, dependencies);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

function answerOf(
  { method = '', url = '' }: IncomingMessage,
  dependencies: ProbeDependencies,
): Answer | Promise<Answer> {
  const page = PAGES[url.split('?', 1)[0] ?? ''];
  if (page === undefined) {
    return { status: 404, text: 'There is /metrics, /livez and /readyz here.\n' };
  }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, text: 'Use GET.\n' };
  return page(dependencies);
}

const PAGES: Readonly<Record<string, (of: ProbeDependencies) => Answer | Promise<Answer>>> = {
  // An answer at all is the proof that the event loop turns.
  '/livez': () => ({ status: 200, text: 'ok\n' }),
  '/readyz': ({ whyNotReady }) => {
    const reason = whyNotReady();
    return reason === null ? { status: 200, text: 'ok\n' } : { status: 503, text: `${reason}\n` };
  },
  '/metrics': async ({ render, onProblem }) => {
    try {
      return { status: 200, ...(await render()) };
    } catch (error) {
      onProblem(error);
      return { status: 500, text: 'The metrics could not be rendered; see the log.\n' };
    }
  },
};
