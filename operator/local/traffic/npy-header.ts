import type { Result } from '../../../crds/wire/result.ts';

/**
 * The header of a .npy file, versions 1.0 to 3.0 (NEP 1 and its format.py): magic, version, header length, then a Python
 * dict literal with descr, fortran_order, shape, padded with spaces and ended by a newline.
 */
export interface NpyHeader {
  /** NumPy's type string, for example <f4, |u1. */
  readonly descr: string;
  readonly shape: readonly number[];
  /** Offset of the first element. */
  readonly dataOffset: number;
}

const MAGIC = '\x93NUMPY';
/** Enough for every header of a plain array; longer ones are structured types, which are not read anyway. */
export const NPY_HEADER_BYTES = 65_536;

export function parseNpyHeader(bytes: Buffer): Result<NpyHeader> {
  if (bytes.toString('latin1', 0, 6) !== MAGIC) {
    return refuse('NotNpy', 'it does not start with the magic bytes of a .npy file.');
  }
  const major = bytes[6] ?? 0;
  if (major < 1 || major > 3)
    return refuse('NotNpy', `its format version is ${major}; 1 to 3 are read.`);
  const lengthBytes = major === 1 ? 2 : 4;
  if (bytes.length < 8 + lengthBytes) return refuse('Truncated', 'it ends inside its header.');
  const length = major === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  const dataOffset = 8 + lengthBytes + length;
  if (bytes.length < dataOffset) return refuse('Truncated', 'it ends inside its header.');
  return parseDict(bytes.toString('latin1', 8 + lengthBytes, dataOffset), dataOffset);
}

function parseDict(text: string, dataOffset: number): Result<NpyHeader> {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (descr === undefined) {
    return refuse('WrongType', 'its element type is a structure; plain numbers are read.');
  }
  if (order === undefined || shape === undefined) {
    return refuse('NotNpy', 'its header names no fortran_order or no shape.');
  }
  if (order === 'True') {
    return refuse(
      'FortranOrder',
      'its elements are in Fortran order; save numpy.ascontiguousarray(x) instead.',
    );
  }
  const sizes = shape
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return {
    ok: true,
    value: { descr, shape: sizes.map((part) => Number.parseInt(part, 10)), dataOffset },
  };
}

function refuse(code: string, message: string): Extract<Result<never>, { ok: false }> {
  return { ok: false, code, message };
}
