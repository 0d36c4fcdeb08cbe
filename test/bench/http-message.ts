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

/** The head of an answer and how its body ends. */
export interface AnswerHead {
  readonly status: number;
  /** Lower case, as it came. */
  readonly text: string;
  readonly headBytes: number;
  /** Bytes of the body, or that it comes in chunks, or that the connection ends it. */
  readonly body: number | 'chunks' | 'connection';
  readonly closes: boolean;
}

/** Null until the whole head is there. */
export function readAnswerHead(bytes: Buffer): AnswerHead | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const text = bytes.toString('latin1', 0, end).toLowerCase();
  const length = headerOf(text, 'content-length');
  const otherwise = headerOf(text, 'transfer-encoding') === 'chunked' ? 'chunks' : 'connection';
  return {
    status: Number(text.slice(9, 12)),
    text,
    headBytes: end + 4,
    body: length === null ? otherwise : Number(length),
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

/** The body of an answer in chunks that starts at `from`; null until its last chunk is there. Trailers are not read. */
export function readChunks(bytes: Buffer, from: number): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const start = lineEnd + 2;
    if (bytes.length < start + size + 2) return null;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}
