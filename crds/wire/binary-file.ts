import { crc32 } from './crc32.ts';
import { readJson, refuse, type DocumentKind } from './json.ts';
import type { Result } from './result.ts';

/**
 * Frame of both binary documents, all numbers little-endian:
 * magic (4 ASCII) | version u32 = 1 | header bytes u32 | header, ASCII JSON | blob | CRC-32 of everything before, u32.
 */
export interface BinaryKind extends DocumentKind {
  /** Four ASCII characters. */
  readonly magic: string;
  readonly maxHeaderBytes: number;
}

export interface BinaryParts {
  /** JSON value of the header, unchecked. */
  readonly header: unknown;
  readonly blob: Uint8Array;
}

const VERSION = 1;
const FIXED_BYTES = 12;
const CRC_BYTES = 4;

/** Non-ASCII characters become \\u escapes, so that bytes and characters of the header are the same. */
function toAscii(json: string): string {
  return json.replace(
    /[\u0080-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Puts a document together. @param header JSON text. @param blobs laid end to end. */
export function writeBinaryFile(
  magic: string,
  header: string,
  blobs: readonly Uint8Array[],
): Uint8Array {
  const ascii = toAscii(header);
  const blobBytes = blobs.reduce((sum, blob) => sum + blob.length, 0);
  const bytes = new Uint8Array(FIXED_BYTES + ascii.length + blobBytes + CRC_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) bytes[i] = magic.charCodeAt(i);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, ascii.length, true);
  for (let i = 0; i < ascii.length; i++) bytes[FIXED_BYTES + i] = ascii.charCodeAt(i);
  let at = FIXED_BYTES + ascii.length;
  for (const blob of blobs) {
    bytes.set(blob, at);
    at += blob.length;
  }
  view.setUint32(at, crc32(bytes.subarray(0, at)), true);
  return bytes;
}

function asciiText(bytes: Uint8Array): string | null {
  let text = '';
  for (let start = 0; start < bytes.length; start += 8192) {
    const part = bytes.subarray(start, start + 8192);
    if (part.some((byte) => byte > 0x7f)) return null;
    text += String.fromCharCode(...part);
  }
  return text;
}

function findFrameProblem(bytes: Uint8Array, view: DataView, kind: BinaryKind): string | null {
  if (bytes.length > kind.maxBytes) {
    return `it has ${bytes.length} bytes, at most ${kind.maxBytes} are allowed`;
  }
  if (bytes.length < FIXED_BYTES + CRC_BYTES)
    return `it has ${bytes.length} bytes, too few for a header`;
  const magic = asciiText(bytes.subarray(0, 4));
  if (magic !== kind.magic) return `it does not start with ${kind.magic}`;
  const version = view.getUint32(4, true);
  if (version !== VERSION) return `its version is ${version}, this program reads ${VERSION}`;
  const headerBytes = view.getUint32(8, true);
  if (headerBytes > kind.maxHeaderBytes) {
    return `its header has ${headerBytes} bytes, at most ${kind.maxHeaderBytes} are allowed`;
  }
  if (FIXED_BYTES + headerBytes + CRC_BYTES > bytes.length) return 'its header runs past its end';
  const end = bytes.length - CRC_BYTES;
  if (view.getUint32(end, true) !== crc32(bytes.subarray(0, end)))
    return 'its checksum does not match';
  return null;
}

/** Takes a document apart after every check that needs no schema. The blob is a view, not a copy. */
export function readBinaryFile(bytes: Uint8Array, kind: BinaryKind): Result<BinaryParts> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const problem = findFrameProblem(bytes, view, kind);
  if (problem !== null) return refuse(kind, 'Malformed', problem);
  const blobStart = FIXED_BYTES + view.getUint32(8, true);
  const text = asciiText(bytes.subarray(FIXED_BYTES, blobStart));
  if (text === null) return refuse(kind, 'Malformed', 'its header is not ASCII');
  const header = readJson(text, kind);
  if (!header.ok) return header;
  const blob = bytes.subarray(blobStart, bytes.length - CRC_BYTES);
  return { ok: true, value: { header: header.value, blob } };
}
