import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';

/** Whole or not at all: a temporary file, fsync, rename. */
export function writeFileAtomically(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const descriptor = openSync(temporary, 'w');
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
}
