import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';

/** One entry of a tar file; `source` is read from disk when written. Modes are as for chmod. */
export type TarEntry = { readonly path: string; readonly mode?: number } & (
  | { readonly content: string | Uint8Array }
  | { readonly source: string }
  | { readonly linkTo: string }
  | { readonly isFolder: true }
);

export interface TarFile {
  readonly sha256: string;
  readonly sizeBytes: number;
}

const BLOCK = 512;
const COPY_BYTES = 1 << 20;

/**
 * Writes a tar file (POSIX.1-1988 ustar) of entries in path order, all owned by root and dated 1970: the same entries
 * give the same bytes. Folders that entries lie in are added. Paths are limited to 155 + 100 bytes.
 */
export function writeTarFile(path: string, entries: readonly TarEntry[]): TarFile {
  const file = openSync(path, 'w');
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const write = (bytes: Uint8Array) => {
    hash.update(bytes);
    sizeBytes += writeSync(file, bytes);
  };
  try {
    for (const entry of withFolders(entries)) writeEntry(entry, write);
    write(Buffer.alloc(2 * BLOCK));
  } finally {
    closeSync(file);
  }
  return { sha256: hexOf(hash), sizeBytes };
}

function hexOf(hash: Hash): string {
  return hash.digest('hex');
}

function withFolders(entries: readonly TarEntry[]): TarEntry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    const parts = path.split('/').slice(0, -1);
    for (let length = 1; length <= parts.length; length += 1) {
      const folder = parts.slice(0, length).join('/');
      if (!byPath.has(folder)) byPath.set(folder, { path: folder, isFolder: true });
    }
  }
  return [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function writeEntry(entry: TarEntry, write: (bytes: Uint8Array) => void): void {
  if ('isFolder' in entry) {
    write(header(`${entry.path}/`, { type: '5', mode: entry.mode ?? 0o755, sizeBytes: 0 }));
  } else if ('linkTo' in entry) {
    write(header(entry.path, { type: '2', mode: 0o777, sizeBytes: 0, linkTo: entry.linkTo }));
  } else if ('source' in entry) {
    const { size, mode } = statSync(entry.source);
    write(header(entry.path, { type: '0', mode: entry.mode ?? mode & 0o777, sizeBytes: size }));
    copy(entry.source, write);
    write(padding(size));
  } else {
    const bytes = Buffer.from(entry.content as string);
    const sizeBytes = bytes.length;
    write(header(entry.path, { type: '0', mode: entry.mode ?? 0o644, sizeBytes }));
    write(bytes);
    write(padding(sizeBytes));
  }
}

function copy(source: string, write: (bytes: Uint8Array) => void): void {
  const file = openSync(source, 'r');
  const buffer = Buffer.alloc(COPY_BYTES);
  try {
    for (;;) {
      const length = readSync(file, buffer);
      if (length === 0) return;
      write(buffer.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
}

function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK - (sizeBytes % BLOCK)) % BLOCK);
}

interface Header {
  readonly type: '0' | '2' | '5';
  readonly mode: number;
  readonly sizeBytes: number;
  readonly linkTo?: string;
}

function header(path: string, { type, mode, sizeBytes, linkTo = '' }: Header): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) => {
    block.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
  };
  const { prefix, name } = splitPath(path);
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(0, 136, 12);
  block.fill(' ', 148, 156);
  block.write(type, 156);
  block.write(linkTo, 157);
  block.write('ustar\u000000', 257);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  octal(sum, 148, 7);
  block[154] = 0;
  return block;
}

function splitPath(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', name: path };
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { prefix, name };
  }
  throw new Error(`path too long for a tar file: ${path}`);
}
