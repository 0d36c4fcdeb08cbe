import { connect, type Socket } from 'node:net';
import { readAnswerHead, readChunks, type AnswerHead } from './http-message.ts';

export type Reply =
  | { readonly ok: true; readonly head: AnswerHead; readonly body: Buffer }
  /** The network's code, `ended` for a connection that closed without an answer, or `timeout`. */
  | { readonly ok: false; readonly code: string };

/** Sends over kept-alive connections, one request on each at a time; a busy one never holds a request up: another is opened. */
export interface HttpSender {
  /** `done` is called once. Nothing is sent twice, whatever happens. */
  send(message: Buffer, done: (reply: Reply) => void): void;
  /** Opens connections that wait for requests. */
  open(count: number): Promise<void>;
  readonly opened: number;
  /** Cuts every connection; requests under way end with `ended`. */
  close(): void;
}

interface Connection {
  readonly socket: Socket;
  done: ((reply: Reply) => void) | null;
  chunks: Buffer[];
  size: number;
  head: AnswerHead | null;
}

export function createHttpSender(options: {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}): HttpSender {
  const { host, port, timeoutMs } = options;
  const idle: Connection[] = [];
  const all = new Set<Connection>();
  let opened = 0;

  function openOne(): Connection {
    opened += 1;
    const socket = connect({ host, port, noDelay: true });
    const connection: Connection = { socket, done: null, chunks: [], size: 0, head: null };
    all.add(connection);
    socket.on('data', (chunk) => {
      receive(connection, chunk);
    });
    socket.on('timeout', () => {
      // One that waits for its next request may wait for ever.
      if (connection.done !== null) end(connection, 'timeout');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end(connection, error.code ?? 'error');
    });
    socket.on('end', () => {
      finishAtEnd(connection);
    });
    socket.on('close', () => {
      end(connection, 'ended');
    });
    return connection;
  }

  function end(connection: Connection, code: string): void {
    forget(connection);
    settle(connection, { ok: false, code });
    connection.socket.destroy();
  }

  function forget(connection: Connection): void {
    all.delete(connection);
    const at = idle.indexOf(connection);
    if (at !== -1) idle.splice(at, 1);
  }

  function settle(connection: Connection, reply: Reply): void {
    const { done } = connection;
    connection.done = null;
    connection.chunks = [];
    connection.size = 0;
    connection.head = null;
    done?.(reply);
  }

  function receive(connection: Connection, chunk: Buffer): void {
    connection.chunks.push(chunk);
    connection.size += chunk.length;
    if (connection.head === null) {
      const bytes = gathered(connection);
      connection.chunks = [bytes];
      connection.head = readAnswerHead(bytes);
    }
    const { head } = connection;
    const body = head === null ? null : wholeBody(connection, head);
    if (head === null || body === null) return;
    if (head.closes) {
      forget(connection);
      connection.socket.end();
    } else idle.push(connection);
    settle(connection, { ok: true, head, body });
  }

  function finishAtEnd(connection: Connection): void {
    const { head } = connection;
    if (head?.body !== 'connection') return;
    const body = gathered(connection).subarray(head.headBytes);
    forget(connection);
    settle(connection, { ok: true, head, body });
  }

  return {
    send: (message, done) => {
      const connection = idle.pop() ?? openOne();
      connection.done = done;
      connection.socket.setTimeout(timeoutMs);
      connection.socket.write(message);
    },
    open: async (count) => {
      const connections = Array.from({ length: count }, openOne);
      await Promise.all(
        connections.map(
          ({ socket }) =>
            new Promise<void>((resolve, reject) => {
              socket.once('connect', resolve);
              socket.once('error', reject);
            }),
        ),
      );
      idle.push(...connections);
    },
    get opened() {
      return opened;
    },
    close: () => {
      for (const connection of [...all]) end(connection, 'ended');
    },
  };
}

/** Null while something of it is to come. */
function wholeBody(connection: Connection, { body, headBytes }: AnswerHead): Buffer | null {
  if (body === 'connection') return null;
  if (body === 'chunks') return readChunks(gathered(connection), headBytes);
  if (connection.size < headBytes + body) return null;
  return gathered(connection).subarray(headBytes, headBytes + body);
}

function gathered({ chunks, size }: Connection): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size);
}
