import type { IncomingMessage } from 'node:http';
import { fetchFailed, shownUrl, toFetchError, type PlaceFields } from './fetch-problem.ts';

/** A body that is larger than whoever asked for it takes. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
  readonly maxBytes: number;

  constructor(url: URL, maxBytes: number) {
    super(`${shownUrl(url)} is larger than ${maxBytes} bytes.`);
    this.maxBytes = maxBytes;
  }
}

export interface ReadRules {
  readonly maxBytes: number;
  readonly fields: PlaceFields;
  /** Told as bytes arrive, also of a body that turns out to be no good. */
  readonly onBytes?: (bytes: number) => void;
}

/** The whole body. A body that ends before its length, or is sent encoded, is a failure; so is one above the limit. */
export async function readBytes(
  url: URL,
  response: IncomingMessage,
  { maxBytes, fields, onBytes }: ReadRules,
): Promise<Buffer> {
  const { 'content-encoding': encoding, 'content-length': length } = response.headers;
  if (encoding !== undefined && encoding !== 'identity') {
    response.destroy();
    throw fetchFailed(`${shownUrl(url)} is sent as ${encoding}; store the file uncompressed.`);
  }
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    if (Number(length ?? 0) > maxBytes) throw new TooLargeError(url, maxBytes);
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      onBytes?.(chunk.length);
      if (sizeBytes > maxBytes) throw new TooLargeError(url, maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    response.destroy();
    throw error instanceof TooLargeError ? error : toFetchError(url, error, fields);
  }
  return Buffer.concat(chunks);
}
