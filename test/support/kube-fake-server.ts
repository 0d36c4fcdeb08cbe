import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { KubeObject } from '../../operator/kube/api.ts';

// Speaks as much of the API as a client needs, well-behaved until a test scripts a single answer.

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Responder = (response: ServerResponse, request: RecordedRequest) => void;

/** A watch that the server holds open. */
export interface OpenWatch {
  readonly request: RecordedRequest;
  readonly isOpen: boolean;
  send(line: unknown): void;
  /** Bytes as they are: half a line, or what is no JSON. */
  sendRaw(text: string | Uint8Array): void;
  end(): void;
  reset(): void;
}

export interface FakeApiServer {
  readonly kubeconfig: string;
  readonly requests: readonly RecordedRequest[];
  readonly watches: readonly OpenWatch[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** The objects lists answer, whatever the path; their version is that of the last change. */
  readonly objects: Map<string, KubeObject>;
  version: number;
  /** Answers the next list, watch or other call in this way, once; calls queue up. */
  script(what: RequestClass, responder: Responder): void;
  /** Answers every one so, until cleared with null. */
  always(what: RequestClass, responder: Responder | null): void;
  close(): Promise<void>;
}

export type RequestClass = 'list' | 'watch' | 'call';

export async function startFakeApiServer(): Promise<FakeApiServer> {
  const requests: RecordedRequest[] = [];
  const watches: OpenWatch[] = [];
  const sockets = new Set<Socket>();
  const scripts: Record<RequestClass, Responder[]> = { list: [], watch: [], call: [] };
  const standing: Record<RequestClass, Responder | null> = { list: null, watch: null, call: null };
  let connections = 0;

  const http = createServer((incoming, response) => {
    void readRequest(incoming).then((request) => {
      requests.push(request);
      const what = classOf(request);
      const responder = scripts[what].shift() ?? standing[what] ?? defaultOf(what);
      responder(response, request);
    });
  });
  const defaultOf = (what: RequestClass): Responder => {
    if (what === 'watch') return (response, request) => watches.push(openWatch(response, request));
    if (what === 'list') return answerJson(200, () => listOf(fake));
    return answerJson(200, (request) => JSON.parse(request.body || '{}') as unknown);
  };
  http.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const fake: FakeApiServer = {
    kubeconfig: kubeconfigFor(`http://127.0.0.1:${(http.address() as AddressInfo).port}`),
    requests,
    watches,
    get connections() {
      return connections;
    },
    objects: new Map(),
    version: 1,
    script: (what, responder) => {
      scripts[what].push(responder);
    },
    always: (what, responder) => {
      standing[what] = responder;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => {
        http.close(() => {
          resolve();
        });
      });
    },
  };
  return fake;
}

/** Plain HTTP is spoken only to a cluster that skips verification. */
export function kubeconfigFor(server: string, skipsVerification = true): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': skipsVerification } }],
    users: [{ name: 'u', user: { token: 'secret-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

export function answerJson(
  status: number,
  body: (request: RecordedRequest) => unknown,
  headers: Readonly<Record<string, string>> = {},
): Responder {
  return (response, request) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body(request)));
  };
}

export function answerStatus(
  code: number,
  reason: string,
  message = reason,
  headers: Readonly<Record<string, string>> = {},
): Responder {
  return answerJson(code, () => aStatus(code, reason, message), headers);
}

export function aStatus(code: number, reason: string, message: string): unknown {
  return { apiVersion: 'v1', kind: 'Status', status: 'Failure', code, reason, message };
}

/** Never answers. */
export const silence: Responder = () => undefined;

export const reset: Responder = (response) => {
  response.socket?.resetAndDestroy();
};

/** A watch that ends at once, after these lines. */
export function watchOf(lines: readonly unknown[]): Responder {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  };
}

/** A ConfigMap with that version. */
export function aConfigMap(name: string, resourceVersion: string, uid = `uid-${name}`): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'ns', uid, resourceVersion },
    data: {},
  };
}

function listOf({ objects, version }: FakeApiServer): unknown {
  return {
    kind: 'List',
    metadata: { resourceVersion: String(version) },
    // As the API server does for its own kinds.
    items: [...objects.values()].map((object) => ({
      ...object,
      apiVersion: undefined,
      kind: undefined,
    })),
  };
}

function openWatch(response: ServerResponse, request: RecordedRequest): OpenWatch {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  return {
    request,
    get isOpen() {
      return !response.destroyed && !response.writableEnded;
    },
    send: (line) => response.write(`${JSON.stringify(line)}\n`),
    sendRaw: (text) => response.write(text),
    end: () => response.end(),
    reset: () => {
      response.socket?.resetAndDestroy();
    },
  };
}

async function readRequest(incoming: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

function classOf({ method, path, query }: RecordedRequest): RequestClass {
  if (method !== 'GET') return 'call';
  if (query.has('watch')) return 'watch';
  return query.has('limit') || path.endsWith('/configmaps') ? 'list' : 'call';
}
