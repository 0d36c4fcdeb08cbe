import type { IncomingMessage } from 'node:http';
import type { ZlibOptions } from 'node:zlib';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { ServingError, shown } from '../errors.ts';
import type { Gate } from './gate.ts';
import type { BodyLimits } from './read-body.ts';
import { collectBody } from './read-body.ts';

const CODINGS = ['gzip', 'deflate', 'br'] as const;
type Coding = (typeof CODINGS)[number];

export interface CompressedLimits extends BodyLimits {
  readonly maxDecompressedBytes: number;
}

/** The body as its client meant it: read whole, then decompressed off the main thread. */
export function readData(
  request: IncomingMessage,
  limits: CompressedLimits,
  gate: Gate,
): Promise<Buffer> {
  const header = request.headers['content-encoding'];
  if (header === undefined) return collectBody(request, limits);
  const coding = toCoding(header);
  const body = collectBody(request, limits);
  if (coding === null) return body;
  return body.then((bytes) =>
    // Few at once: a bomb holds as much as the limit until it is found to be one.
    gate.run(async () => {
      const whole = await decompress(bytes, coding, limits.maxDecompressedBytes);
      limits.hold?.resize(whole.length);
      return whole;
    }),
  );
}

function toCoding(header: string): Coding | null {
  const name = header.trim().toLowerCase();
  if (name === 'identity' || name === '') return null;
  const coding = CODINGS.find((known) => known === name || `x-${known}` === name);
  if (coding !== undefined) return coding;
  throw new ServingError(
    'unsupported_encoding',
    { value: shown(header), expected: 'gzip, deflate or br, one of them, or none' },
    { headers: { 'accept-encoding': CODINGS.join(', ') } },
  );
}

type Decompressor = (
  bytes: Buffer,
  options: ZlibOptions,
  callback: (error: NodeJS.ErrnoException | null, whole: Buffer) => void,
) => void;

const CHUNK_BYTES = 64 * 1024;

function decompress(bytes: Buffer, coding: Coding, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES };
    decompressorOf(coding, bytes)(bytes, options, (error, whole) => {
      if (error === null) resolve(whole);
      else if (error.code === 'ERR_BUFFER_TOO_LARGE') {
        reject(new ServingError('decompressed_too_large', { value: maxBytes }));
      } else {
        reject(new ServingError('malformed_encoding', { value: coding }, { cause: error }));
      }
    });
  });
}

function decompressorOf(coding: Coding, bytes: Buffer): Decompressor {
  if (coding === 'gzip') return gunzip;
  if (coding === 'br') return brotliDecompress;
  // Deflate is meant to come in a zlib frame (RFC 9110 8.4.1.2); some clients leave the frame out.
  const hasFrame = ((bytes[0] ?? 0) & 0x0f) === 8;
  return hasFrame ? inflate : inflateRaw;
}
