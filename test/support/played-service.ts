// Plays the Service of a cluster: a connection goes to one of the endpoints, in turn, and stays with it. An endpoint that ends is one
// until it is taken away, as it is to a kube-proxy that has not heard of it yet.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface PlayedService {
  readonly port: number;
  /** Connections that went to the endpoint of this port. */
  readonly connectionsTo: (port: number) => number;
  add(port: number): void;
  /** New connections go elsewhere; those that are open stay. */
  remove(port: number): void;
  close(): Promise<void>;
}

export async function startPlayedService(): Promise<PlayedService> {
  const endpoints: number[] = [];
  const counts = new Map<number, number>();
  const open = new Set<Socket>();
  let turn = 0;

  const server = createServer({ noDelay: true }, (client) => {
    turn += 1;
    const port = endpoints[turn % endpoints.length];
    if (port === undefined) {
      client.destroy();
      return;
    }
    counts.set(port, (counts.get(port) ?? 0) + 1);
    const upstream = connect({ host: '127.0.0.1', port, noDelay: true });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connectionsTo: (port) => counts.get(port) ?? 0,
    add: (port) => endpoints.push(port),
    remove: (port) => endpoints.splice(endpoints.indexOf(port), 1),
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
