// Length-prefixed binary frames between the server's main process and its engine host, over a Unix socket.
//   u32 size | u8 magic | u8 kind | u16 blob count | u32 header size | u32 id | u32 blob size ... | header | blobs
// Blobs and the frame's end lie at multiples of 8. The header is a structured clone (node:v8) of a small object, and takes no bytes
// when it is null: what every batch says travels as blobs. Both ends are one build.
import { deserialize, serialize } from 'node:v8';

const MAGIC = 0x4c;
const ALIGNMENT = 8;
const FIXED_BYTES = 16;
const NO_HEADER = Buffer.alloc(0);

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
  check: 6,
  companion: 7,
  answer: 16,
  failure: 17,
  rows: 18,
  pong: 19,
  done: 20,
} as const;
export type FrameKindName = keyof typeof FrameKind;

const KIND_NAMES = new Map<number, FrameKindName>(
  (Object.keys(FrameKind) as FrameKindName[]).map((name) => [FrameKind[name], name]),
);

export interface Frame {
  readonly kind: FrameKindName;
  readonly id: number;
  readonly header: unknown;
  /** Aligned for any typed array. */
  readonly blobs: readonly Uint8Array[];
}

/** A frame with one more blob, the last, whose parts are written as they are, without a copy. */
export interface PartedFrame extends Frame {
  readonly parts: readonly Uint8Array[];
}

/** The bytes are not frames of this build: the connection cannot go on. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function encodeFrame(frame: Frame): Buffer {
  return layOut(
    frame,
    frame.blobs.map(({ length }) => length),
    0,
  );
}

/** The pieces of a frame, to be written one after the other. */
export function encodeParts(frame: PartedFrame): readonly Uint8Array[] {
  const partBytes = frame.parts.reduce((sum, { length }) => sum + length, 0);
  const sizes = [...frame.blobs.map(({ length }) => length), partBytes];
  const head = layOut(frame, sizes, partBytes);
  const padding = paddingOf(partBytes);
  return padding === 0 ? [head, ...frame.parts] : [head, ...frame.parts, Buffer.alloc(padding)];
}

/** @param outsideBytes what the last blob takes; it is not part of the result, and neither is what pads the frame after it. */
function layOut(frame: Frame, sizes: readonly number[], outsideBytes: number): Buffer {
  const header = frame.header === null ? NO_HEADER : serialize(frame.header);
  if (sizes.length > FRAME_LIMITS.blobs) throw new FrameError(`${sizes.length} blobs in one frame`);
  const headerAt = FIXED_BYTES + 4 * sizes.length;
  const places = placesOf(headerAt + header.length, sizes);
  const size = places.end;
  if (size > FRAME_LIMITS.frameBytes) throw new FrameError(`a frame of ${size} bytes`);
  const isOutside = outsideBytes > 0;
  const bytes = Buffer.allocUnsafeSlow(isOutside ? (places.starts.at(-1) ?? size) : size);
  bytes.writeUInt32LE(size, 0);
  bytes.writeUInt8(MAGIC, 4);
  bytes.writeUInt8(FrameKind[frame.kind], 5);
  bytes.writeUInt16LE(sizes.length, 6);
  bytes.writeUInt32LE(header.length, 8);
  bytes.writeUInt32LE(frame.id, 12);
  for (const [index, blobBytes] of sizes.entries()) {
    bytes.writeUInt32LE(blobBytes, FIXED_BYTES + 4 * index);
  }
  for (const [index, blob] of frame.blobs.entries()) bytes.set(blob, places.starts[index]);
  header.copy(bytes, headerAt);
  return bytes;
}

function paddingOf(length: number): number {
  return -length & (ALIGNMENT - 1);
}

function placesOf(
  from: number,
  sizes: readonly number[],
): { readonly starts: readonly number[]; readonly end: number } {
  const starts: number[] = [];
  let end = from + paddingOf(from);
  for (const size of sizes) {
    starts.push(end);
    end += size + paddingOf(size);
  }
  return { starts, end };
}

/** Puts chunks of a stream together. A frame that lies whole in a chunk is a view of it; any other gets a buffer of its own. */
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
      const whole = this.wholeFrame(chunk, offset);
      if (whole !== null) {
        frames.push(decodeFrame(whole));
        offset += whole.length;
        continue;
      }
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

  private wholeFrame(chunk: Buffer, offset: number): Buffer | null {
    const isBetweenFrames = this.frame === null && this.prefixFilled === 0;
    const isAligned = (chunk.byteOffset + offset) % ALIGNMENT === 0;
    if (!isBetweenFrames || !isAligned || chunk.length - offset < FIXED_BYTES) return null;
    const size = checkedSize(chunk.readUInt32LE(offset));
    return offset + size <= chunk.length ? chunk.subarray(offset, offset + size) : null;
  }

  private readPrefix(chunk: Buffer, offset: number): number {
    const copied = chunk.copy(this.prefix, this.prefixFilled, offset);
    this.prefixFilled += copied;
    if (this.prefixFilled === this.prefix.length) {
      const size = checkedSize(this.prefix.readUInt32LE(0));
      this.frame = Buffer.from(new ArrayBuffer(size));
      this.prefix.copy(this.frame);
      this.filled = this.prefix.length;
      this.prefixFilled = 0;
    }
    return copied;
  }
}

function checkedSize(size: number): number {
  if (size >= FIXED_BYTES && size <= FRAME_LIMITS.frameBytes) return size;
  throw new FrameError(`a frame of ${size} bytes`);
}

function decodeFrame(bytes: Buffer): Frame {
  const kind = KIND_NAMES.get(bytes.readUInt8(5));
  const count = bytes.readUInt16LE(6);
  const headerAt = FIXED_BYTES + 4 * count;
  if (bytes.readUInt8(4) !== MAGIC || kind === undefined)
    throw new FrameError('bytes that are no frame');
  if (count > FRAME_LIMITS.blobs || headerAt > bytes.length)
    throw new FrameError(`${count} blobs in one frame`);
  const headerEnd = headerAt + bytes.readUInt32LE(8);
  const sizes: number[] = [];
  for (let index = 0; index < count; index += 1) {
    sizes.push(bytes.readUInt32LE(FIXED_BYTES + 4 * index));
  }
  const places = placesOf(headerEnd, sizes);
  if (places.end !== bytes.length) throw new FrameError('parts that do not add up to the frame');
  return {
    kind,
    id: bytes.readUInt32LE(12),
    header: headerEnd === headerAt ? null : readHeader(bytes.subarray(headerAt, headerEnd)),
    blobs: places.starts.map(
      (start, index) => new Uint8Array(bytes.buffer, bytes.byteOffset + start, sizes[index]),
    ),
  };
}

function readHeader(bytes: Buffer): unknown {
  try {
    return deserialize(bytes);
  } catch (error) {
    throw new FrameError('a header that cannot be read', { cause: error });
  }
}
