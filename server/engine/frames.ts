// Length-prefixed binary frames between the server's main process and its engine host, over a Unix socket.
//   u32 size | u8 magic | u8 kind | u16 blob count | u32 header size | u32 blob size ... | header | blobs, each at a multiple of 8
// The header is a structured clone (node:v8) of a small object; tensors travel as blobs. Both ends are one build.
import { deserialize, serialize } from 'node:v8';

const MAGIC = 0x4c;
const ALIGNMENT = 8;

export const FRAME_LIMITS = {
  frameBytes: 512 * 2 ** 20,
  blobs: 65_535,
} as const;

/** What either side may say. Replies carry the id of what they answer. */
export const FrameKind = {
  open: 1,
  prepare: 2,
  release: 3,
  run: 4,
  ping: 5,
  answer: 16,
  failure: 17,
  rows: 18,
  pong: 19,
} as const;
export type FrameKindName = keyof typeof FrameKind;

const KIND_NAMES = new Map<number, FrameKindName>(
  (Object.keys(FrameKind) as FrameKindName[]).map((name) => [FrameKind[name], name]),
);

export interface Frame {
  readonly kind: FrameKindName;
  readonly id: number;
  readonly header: unknown;
  /** Views into one buffer of their own, aligned for any typed array. */
  readonly blobs: readonly Uint8Array[];
}

/** The bytes are not frames of this build: the connection cannot go on. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function encodeFrame(frame: Frame): Buffer {
  const header = serialize({ id: frame.id, header: frame.header });
  const { blobs } = frame;
  if (blobs.length > FRAME_LIMITS.blobs) throw new FrameError(`${blobs.length} blobs in one frame`);
  const headerAt = 12 + 4 * blobs.length;
  const places = placesOf(
    headerAt + header.length,
    blobs.map(({ length }) => length),
  );
  const size = places.end;
  if (size > FRAME_LIMITS.frameBytes) throw new FrameError(`a frame of ${size} bytes`);
  const bytes = Buffer.allocUnsafeSlow(size);
  bytes.writeUInt32LE(size, 0);
  bytes.writeUInt8(MAGIC, 4);
  bytes.writeUInt8(FrameKind[frame.kind], 5);
  bytes.writeUInt16LE(blobs.length, 6);
  bytes.writeUInt32LE(header.length, 8);
  for (const [index, blob] of blobs.entries()) {
    bytes.writeUInt32LE(blob.length, 12 + 4 * index);
    bytes.set(blob, places.starts[index]);
  }
  header.copy(bytes, headerAt);
  return bytes;
}

function placesOf(
  from: number,
  sizes: readonly number[],
): { readonly starts: readonly number[]; readonly end: number } {
  const starts: number[] = [];
  let end = from;
  for (const size of sizes) {
    const start = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    starts.push(start);
    end = start + size;
  }
  return { starts, end };
}

/** Puts chunks of a stream together; each whole frame gets a buffer of its own, so blobs can be transferred. */
export class FrameReader {
  private readonly prefix = Buffer.alloc(4);
  private prefixFilled = 0;
  private frame: Buffer | null = null;
  private filled = 0;

  /** Frames that end in this chunk. Throws FrameError. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let offset = 0;
    while (offset < chunk.length) {
      offset += this.frame === null ? this.readPrefix(chunk, offset) : 0;
      if (this.frame === null) continue;
      const copied = chunk.copy(this.frame, this.filled, offset);
      offset += copied;
      this.filled += copied;
      if (this.filled < this.frame.length) continue;
      frames.push(decodeFrame(this.frame));
      this.frame = null;
    }
    return frames;
  }

  private readPrefix(chunk: Buffer, offset: number): number {
    const copied = chunk.copy(this.prefix, this.prefixFilled, offset);
    this.prefixFilled += copied;
    if (this.prefixFilled === this.prefix.length) {
      const size = this.prefix.readUInt32LE(0);
      if (size < 12 || size > FRAME_LIMITS.frameBytes)
        throw new FrameError(`a frame of ${size} bytes`);
      this.frame = Buffer.from(new ArrayBuffer(size));
      this.prefix.copy(this.frame);
      this.filled = this.prefix.length;
      this.prefixFilled = 0;
    }
    return copied;
  }
}

function decodeFrame(bytes: Buffer): Frame {
  const kind = KIND_NAMES.get(bytes.readUInt8(5));
  const count = bytes.readUInt16LE(6);
  const headerAt = 12 + 4 * count;
  if (bytes.readUInt8(4) !== MAGIC || kind === undefined)
    throw new FrameError('bytes that are no frame');
  if (count > FRAME_LIMITS.blobs || headerAt > bytes.length)
    throw new FrameError(`${count} blobs in one frame`);
  const headerEnd = headerAt + bytes.readUInt32LE(8);
  const sizes = Array.from({ length: count }, (_, index) => bytes.readUInt32LE(12 + 4 * index));
  const places = placesOf(headerEnd, sizes);
  if (places.end !== bytes.length) throw new FrameError('parts that do not add up to the frame');
  const envelope = readEnvelope(bytes.subarray(headerAt, headerEnd));
  return {
    kind,
    ...envelope,
    blobs: places.starts.map(
      (start, index) => new Uint8Array(bytes.buffer, bytes.byteOffset + start, sizes[index]),
    ),
  };
}

function readEnvelope(bytes: Buffer): { readonly id: number; readonly header: unknown } {
  let value: unknown;
  try {
    value = deserialize(bytes);
  } catch (error) {
    throw new FrameError('a header that cannot be read', { cause: error });
  }
  if (typeof value !== 'object' || value === null || !('id' in value) || !('header' in value)) {
    throw new FrameError('a header without its parts');
  }
  const { id, header } = value;
  if (typeof id !== 'number') throw new FrameError('a header without id');
  return { id, header };
}
