import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

export interface RawOptions {
  /** Half-close after the last byte. @defaultValue false */
  readonly ends?: boolean;
  /** Bytes per write; each waits for the one before. @defaultValue all at once */
  readonly pieceBytes?: number;
  /** Gives up on a connection that stays open. @defaultValue 10 s */
  readonly withinMs?: number;
}

/** Sends the bytes as they are and reads until the server closes; answers in order. A reset counts as closed. */
export async function rawExchange(
  port: number,
  bytes: string | Buffer,
  { ends = false, pieceBytes, withinMs = 10_000 }: RawOptions = {},
): Promise<RawAnswer[]> {
  const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      resolve();
    });
  });
  // A server that cuts a connection off may reset it.
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const patience = new AbortController();
  const timer = setTimeout(() => {
    patience.abort(new Error(`the connection was still open after ${withinMs} ms`));
    socket.destroy();
  }, withinMs);
  const step = pieceBytes ?? Math.max(1, data.length);
  for (let at = 0; at < data.length && !socket.destroyed; at += step) {
    await new Promise<void>((resolve) => {
      socket.write(data.subarray(at, at + step), () => {
        resolve();
      });
    });
  }
  if (ends) socket.end();
  await closed;
  clearTimeout(timer);
  patience.signal.throwIfAborted();
  return parseAnswers(Buffer.concat(chunks).toString('latin1'));
}

/** Responses with Content-Length, one after another; interim ones are left out. */
function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest.startsWith('HTTP/1.1 ')) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) break;
    const head = rest.slice(0, end);
    const status = Number(head.slice(9, 12));
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (status >= 200) answers.push({ status, head, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + (status >= 200 ? length : 0));
  }
  return answers;
}

/** A request line by line, with `connection: close` unless it says otherwise. */
export function rawRequest(
  line: string,
  headers: readonly string[] = [],
  body: string | Buffer = '',
): Buffer {
  const head = [line, 'host: x', ...headers, '', ''].join('\r\n');
  return Buffer.concat([
    Buffer.from(head, 'latin1'),
    typeof body === 'string' ? Buffer.from(body, 'latin1') : body,
  ]);
}
