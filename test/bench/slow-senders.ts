import { connect, type Socket } from 'node:net';

export interface SlowSenders {
  /** Connections that were opened: whoever is ended by a limit comes again. */
  readonly opened: () => number;
  stop(): void;
}

const DRIP_MS = 500;

/** Clients that send a header byte by byte and never come to its end. Resolves when all are connected. */
export async function startSlowSenders(
  port: number,
  path: string,
  count: number,
): Promise<SlowSenders> {
  const sockets = new Set<Socket>();
  let opened = 0;
  let isOver = false;
  const open = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      sockets.add(socket);
      opened += 1;
      // What it is told has to be read, or the connection is never seen to end.
      socket.resume();
      socket.on('error', () => undefined);
      socket.once('connect', () => {
        socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nx-a: `);
        resolve();
      });
      socket.once('close', () => {
        sockets.delete(socket);
        resolve();
        if (!isOver) void open();
      });
    });
  await Promise.all(Array.from({ length: count }, open));
  const drip = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('y');
  }, DRIP_MS);
  return {
    opened: () => opened,
    stop: () => {
      isOver = true;
      clearInterval(drip);
      for (const socket of sockets) socket.destroy();
    },
  };
}
