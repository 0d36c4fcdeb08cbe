import type { AgentOptions, ClientRequestArgs } from 'node:http';
import { Agent } from 'node:http';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** Opens a TCP connection from inside the node, where pods and services are; see dialer.mjs. */
export function dialInside(dialSocket: string, host: string, port: number): Socket {
  const socket = connect({ path: dialSocket });
  socket.write(`${host} ${port}\n`);
  return socket;
}

/** For `http.request`: its connections start inside the node. Destroy it when done. */
export function createInsideAgent(dialSocket: string, options: AgentOptions = {}): Agent {
  return new InsideAgent(dialSocket, options);
}

class InsideAgent extends Agent {
  readonly #dialSocket: string;

  constructor(dialSocket: string, options: AgentOptions) {
    super(options);
    this.#dialSocket = dialSocket;
  }

  override createConnection({ host, port }: ClientRequestArgs): Socket {
    return dialInside(this.#dialSocket, host ?? '127.0.0.1', Number(port));
  }
}

/** Listens on this machine's loopback and passes connections on to the same port inside the node. */
export function forwardPort(dialSocket: string, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (outside) => {
    const inside = dialInside(dialSocket, '127.0.0.1', port);
    outside.pipe(inside);
    inside.pipe(outside);
    inside.on('error', () => outside.destroy());
    outside.on('error', () => inside.destroy());
    inside.on('close', () => outside.destroy());
    outside.on('close', () => inside.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve(server);
    });
  });
}
