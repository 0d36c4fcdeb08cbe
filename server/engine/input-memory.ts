// Large inputs reach the engine host through a file in memory that both processes have open: written in place and read in place they
// are copied twice, by the two calls, where a socket copies them twice as often and wakes the other side at every 200 KiB.
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writevSync } from 'node:fs';
import { join } from 'node:path';

/** Where Linux and container runtimes have files in memory. */
const FOLDER = '/dev/shm';
/** What a lane may use, 32 rows of 3 x 224 x 224 and more; the file takes memory only as far as it was written. */
const LANE_BYTES = 32 * 2 ** 20;
/** Smaller inputs travel in their frame: one write, and nothing to read after it. */
const LEAST_BYTES = 64 * 2 ** 10;
/** Of the file in the engine host, which inherits it behind its standard streams. */
const HOST_FILE = 3;

/** Where the input of a batch lies in the file. */
export interface InputPlace {
  readonly offset: number;
  readonly bytes: number;
}

/** The server's side: one file per life of an engine host, without a name. */
export class InputMemory {
  /** For the host to inherit. */
  readonly file: number;

  private constructor(file: number) {
    this.file = file;
  }

  /** @returns null where there are no files in memory. */
  static open(folder = FOLDER): InputMemory | null {
    const path = join(folder, `layercache-${randomUUID()}`);
    try {
      const file = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return new InputMemory(file);
    } catch {
      return null;
    }
  }

  /**
   * Puts pieces one after the other where the lane's batch may lie; what its batch before left there is gone.
   * @returns null when they are better sent in a frame: too few, too many, or memory is short.
   */
  put(lane: number, pieces: readonly Uint8Array[]): InputPlace | null {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    if (bytes < LEAST_BYTES || bytes > LANE_BYTES) return null;
    const offset = lane * LANE_BYTES;
    try {
      return writevSync(this.file, pieces, offset) === bytes ? { offset, bytes } : null;
    } catch {
      return null;
    }
  }

  close(): void {
    closeSync(this.file);
  }
}

/** The host's side, one for each worker. */
export class InputReader {
  private readonly file: number;
  /** Kept: memory that is new for each batch costs a fault at every page, more than the copy. */
  private memory = Buffer.allocUnsafeSlow(LEAST_BYTES);

  constructor(file = HOST_FILE) {
    this.file = file;
  }

  /** Stays as it is until the next call. Throws when the file holds less. */
  read({ offset, bytes }: InputPlace): Uint8Array {
    if (bytes > this.memory.length) this.memory = Buffer.allocUnsafeSlow(bytes);
    if (readSync(this.file, this.memory, 0, bytes, offset) !== bytes) {
      throw new RangeError(`the input of a batch is not there (${bytes} bytes at ${offset})`);
    }
    return this.memory.subarray(0, bytes);
  }
}
