/** A file of an archive. */
export interface ArchiveFile {
  readonly path: string;
  readonly text: string;
}

const BLOCK = 512;

/** POSIX ustar (IEEE 1003.1): folder of at most 155 bytes, paths below it of at most 100; owner 0, mode 0644, one time for all. */
export function tarOf(files: readonly ArchiveFile[], folder: string, timeMs: number): Buffer {
  const parts = files.flatMap(({ path, text }) => {
    const body = Buffer.from(text);
    const padding = Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK);
    return [headerOf(folder, path, body.length, timeMs), body, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function headerOf(folder: string, path: string, size: number, timeMs: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  header.write(path, 0, 100);
  header.write(`${octal(0o644, 7)}\0`, 100);
  header.write(`${octal(0, 7)}\0`, 108);
  header.write(`${octal(0, 7)}\0`, 116);
  header.write(`${octal(size, 11)}\0`, 124);
  header.write(`${octal(Math.floor(timeMs / 1000), 11)}\0`, 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\u000000', 257);
  header.write(folder, 345, 155);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}
