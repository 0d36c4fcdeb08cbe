/** A request as it goes over the wire, again and again: a client that builds it each time would be what is measured. */
export interface HttpMessage {
  /** @defaultValue POST */
  readonly method?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Uint8Array;
}

export function encodeMessage(message: HttpMessage, host: string): Buffer {
  const { method = 'POST', path, headers, body } = message;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${body.byteLength}\r\n`;
  return Buffer.concat([Buffer.from(`${head}${lines.join('')}\r\n`, 'latin1'), body]);
}

/** The head of an answer and where its body ends. */
export interface AnswerHead {
  readonly status: number;
  /** Lower case, as it came. */
  readonly text: string;
  readonly headBytes: number;
  /** Null: the body ends with the connection. */
  readonly bodyBytes: number | null;
  readonly closes: boolean;
}

/** Null until the whole head is there. Bodies in chunks are not read: no server here sends them. */
export function readAnswerHead(bytes: Buffer): AnswerHead | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const text = bytes.toString('latin1', 0, end).toLowerCase();
  if (text.includes('\r\ntransfer-encoding:')) throw new Error(`an answer in chunks: ${text}`);
  const length = headerOf(text, 'content-length');
  return {
    status: Number(text.slice(9, 12)),
    text,
    headBytes: end + 4,
    bodyBytes: length === null ? null : Number(length),
    closes: headerOf(text, 'connection') === 'close',
  };
}

/** A header of an answer's head, its name in lower case. */
export function headerOf(text: string, name: string): string | null {
  const at = text.indexOf(`\r\n${name}:`);
  if (at === -1) return null;
  const start = at + name.length + 3;
  const end = text.indexOf('\r\n', start);
  return text.slice(start, end === -1 ? text.length : end).trim();
}
