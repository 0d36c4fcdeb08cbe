/** A file of an archive. */
export interface ArchiveFile {
  readonly path: string;
  readonly text: string;
}

const BLOCK = 512;

/**
 * POSIX ustar (IEEE 1003.1), with a pax header before each file whose path fits no ustar header: 155 bytes, a slash, 100 bytes.
 * Owner 0, mode 0644, one time for all.
 */
export function tarOf(files: readonly ArchiveFile[], folder: string, timeMs: number): Buffer {
  const parts = files.flatMap(({ path, text }) => {
    const body = Buffer.from(text);
    const full = `${folder}/${path}`;
    const place = splitPath(full);
    if (place !== null) return entryOf({ ...place, type: '0', timeMs }, body);
    const record = paxRecord('path', full);
    const name = `PaxHeaders/${path}`;
    return [
      ...entryOf({ prefix: '', name, type: 'x', timeMs }, Buffer.from(record)),
      // Readers that know no pax find the file under the beginning of its path.
      ...entryOf({ prefix: '', name: full, type: '0', timeMs }, body),
    ];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

interface Entry {
  readonly prefix: string;
  readonly name: string;
  /** '0': a file, 'x': what pax says of the next one. */
  readonly type: '0' | 'x';
  readonly timeMs: number;
}

/** Where a path is cut between prefix and name, at a slash; null: nowhere. */
function splitPath(path: string): Pick<Entry, 'prefix' | 'name'> | null {
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { prefix, name };
  }
  return null;
}

/** `LENGTH KEY=VALUE` and a line end; the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  const digits = String(bytes + String(bytes).length).length;
  return `${bytes + digits}${rest}`;
}

function entryOf(entry: Entry, body: Buffer): readonly Buffer[] {
  const padding = Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK);
  return [headerOf(entry, body.length), body, padding];
}

function headerOf({ prefix, name, type, timeMs }: Entry, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  header.write(name, 0, 100);
  header.write(`${octal(0o644, 7)}\0`, 100);
  header.write(`${octal(0, 7)}\0`, 108);
  header.write(`${octal(0, 7)}\0`, 116);
  header.write(`${octal(size, 11)}\0`, 124);
  header.write(`${octal(Math.floor(timeMs / 1000), 11)}\0`, 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\u000000', 257);
  header.write(prefix, 345, 155);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}
