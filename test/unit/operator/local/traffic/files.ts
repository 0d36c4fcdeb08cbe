import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';

/** A file in a folder of its own below the system's temporary folder. */
export function temporaryFile(name: string, content: Uint8Array | string): string {
  const path = join(temporaryFolder('layercache-test-'), name);
  writeFileSync(path, content);
  return path;
}

/** A .npy file, version 1.0 or 2.0; `header` replaces the dictionary. */
export function npyFile(
  npy: {
    readonly descr: string;
    readonly shape: readonly number[];
    readonly major?: 1 | 2;
    readonly header?: string;
  },
  elements: Uint8Array,
): string {
  const shape = npy.shape.map((size) => `${size},`).join(' ');
  const text =
    npy.header ?? `{'descr': '${npy.descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const prefix = npy.major === 2 ? 12 : 10;
  const padded = `${text.padEnd(Math.ceil((prefix + text.length + 1) / 64) * 64 - prefix - 1)}\n`;
  const start = Buffer.alloc(prefix);
  start.write('\x93NUMPY', 'latin1');
  start[6] = npy.major ?? 1;
  if (npy.major === 2) start.writeUInt32LE(padded.length, 8);
  else start.writeUInt16LE(padded.length, 8);
  return temporaryFile('rows.npy', Buffer.concat([start, Buffer.from(padded, 'latin1'), elements]));
}

/** An IDX file of unsigned bytes, or of another type code. */
export function idxBytes(sizes: readonly number[], elements: Uint8Array, type = 8): Buffer {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head[2] = type;
  head[3] = sizes.length;
  sizes.forEach((size, i) => head.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([head, elements]);
}
