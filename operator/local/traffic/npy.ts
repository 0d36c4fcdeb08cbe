import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';
import { NPY_HEADER_BYTES, parseNpyHeader, type NpyHeader } from './npy-header.ts';
import { rowBytes, type Element, type TrafficSource } from './source.ts';

const ELEMENTS: Readonly<Record<string, Element>> = {
  '|u1': 'u1',
  '<u1': 'u1',
  '=u1': 'u1',
  '<f4': 'f4',
  '<f2': 'f2',
};

/** An open .npy file whose header was read. */
export interface NpyFile {
  readonly header: NpyHeader;
  /** Reads exactly `target.byteLength` bytes. */
  read(target: Buffer, offset: number): void;
  readonly close: () => void;
}

/** Rows of a .npy file, read from the file one by one: nothing but the row at hand is in memory. */
export function openNpy(path: string, name: string): TrafficSource {
  const file = openNpyFile(path, name);
  const [rowCount, ...rowShape] = file.header.shape;
  const element = ELEMENTS[file.header.descr];
  if (element === undefined) {
    file.close();
    throw new CliError('TrafficWrongType', {
      where: name,
      why: `its element type is ${file.header.descr}; |u1, <f4 and <f2 are read.`,
    });
  }
  if (rowCount === undefined) {
    file.close();
    throw new CliError('TrafficWrongShape', {
      where: name,
      why: 'it is a single number without rows.',
    });
  }
  const size = rowBytes({ rowShape, element });
  const row = Buffer.alloc(size);
  return {
    name,
    rowCount,
    rowShape,
    element,
    labels: null,
    readRow: (index) => {
      file.read(row, file.header.dataOffset + index * size);
      return row;
    },
    close: file.close,
  };
}

/** Opens, reads the header, and compares the file's length with what shape and type need. */
export function openNpyFile(path: string, name: string): NpyFile {
  const descriptor = openForReading(path, name);
  try {
    const head = Buffer.alloc(NPY_HEADER_BYTES);
    const bytes = head.subarray(0, readSync(descriptor, head, 0, head.byteLength, 0));
    const header = parseNpyHeader(bytes);
    if (!header.ok) {
      const code = header.code === 'WrongType' ? 'TrafficWrongType' : 'TrafficUnreadable';
      throw new CliError(code, {
        where: name,
        why: header.message,
        nextStep: nextStepFor(header.code),
      });
    }
    checkLength(header.value, fstatSync(descriptor).size, name);
    return {
      header: header.value,
      read: (target, offset) => {
        const got = readSync(descriptor, target, 0, target.byteLength, offset);
        if (got !== target.byteLength)
          throw truncated(name, `a read at ${offset} gave ${got} bytes.`);
      },
      close: () => {
        closeSync(descriptor);
      },
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

export function openForReading(path: string, name: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new CliError('TrafficUnreadable', {
      where: name,
      why: `${errorText(error)}.`,
      cause: error,
    });
  }
}

function nextStepFor(code: string): string | undefined {
  if (code === 'Truncated') return 'Copy or write the file again.';
  if (code === 'FortranOrder') return 'Only C order can be read row by row.';
  return undefined;
}

/** Itemsize of a NumPy type string; 0 for one without (objects). */
function itemBytes(descr: string): number {
  return /^[<>=|][biufc](\d+)$/.exec(descr) ? Number(descr.slice(2)) : 0;
}

function checkLength(header: NpyHeader, fileBytes: number, name: string): void {
  const size = itemBytes(header.descr);
  if (size === 0) {
    throw new CliError('TrafficWrongType', {
      where: name,
      why: `its element type is ${header.descr}; plain numbers are read.`,
    });
  }
  const wanted =
    header.shape.reduce((product, length) => product * length, size) + header.dataOffset;
  if (fileBytes < wanted) {
    throw truncated(
      name,
      `it has ${fileBytes} bytes, but shape (${header.shape.join(', ')}) of ${header.descr} needs ${wanted}.`,
    );
  }
}

function truncated(name: string, why: string): CliError {
  return new CliError('TrafficUnreadable', {
    where: name,
    why,
    nextStep: 'Copy or write the file again.',
  });
}
