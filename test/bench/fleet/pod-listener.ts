import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { AdminIdentity } from '../../../server/admin/admin-identity.ts';
import { createAdminServer } from '../../../server/admin/admin-server.ts';
import { closeServer, listen } from '../../../server/http/http-server.ts';
import { systemClock } from '../../../server/clock.ts';
import type { PodAnswer, PodRequest } from './simulated-pod.ts';

/** Of every pod template: the operator dials no other. */
const ADMIN_PORT = 8081;

export interface ListenerObserver {
  connected(): void;
  disconnected(): void;
  called(method: string, route: string): void;
}

export interface PodListener {
  close(): Promise<void>;
}

/** The admin port of a pod on an address of its own, with the servers' own TLS and the keys of its service. */
export async function listenAsPod(
  address: string,
  identity: AdminIdentity,
  answer: (request: PodRequest) => PodAnswer | null,
  observer: ListenerObserver,
): Promise<PodListener> {
  const { server } = createAdminServer({
    identity,
    clock: systemClock,
    onRefused: () => undefined,
    createApp: (peers) => (request: IncomingMessage, response: ServerResponse) => {
      if (peers.rightsOf(request) !== 'all') {
        respond(response, { status: 403, text: '{"error":"no rights"}' });
        return;
      }
      const { method = '', url = '' } = request;
      observer.called(method, routeOf(url));
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const answered = answer({ method, path: url, body: Buffer.concat(chunks) });
        if (answered !== null) respond(response, answered);
      });
    },
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    observer.connected();
    socket.once('close', () => {
      observer.disconnected();
    });
  });
  await listen(server, ADMIN_PORT, address);
  return { close: () => closeNow(server) };
}

function closeNow(server: Server): Promise<void> {
  return closeServer(server, 0);
}

function respond(response: ServerResponse, { status, text }: PodAnswer): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.byteLength,
  });
  response.end(body);
}

/** Without its query and what of it is a digest. */
function routeOf(url: string): string {
  return (url.split('?')[0] ?? '').replace(/[0-9a-f]{64}$/, '{digest}');
}
