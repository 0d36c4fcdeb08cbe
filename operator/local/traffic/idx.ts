import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';
import { memorySource, type TrafficSource } from './source.ts';

/**
 * MNIST's IDX format (yann.lecun.com/exdb/mnist): 0, 0, type (8 = unsigned byte), dimensions, then the sizes as big-endian
 * 32-bit integers, then the elements in C order. Small by design, so it is held in memory.
 */
export function openIdx(path: string, name: string): TrafficSource {
  const bytes = readMaybeGzip(path, name);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    throw new CliError('TrafficUnreadable', {
      where: name,
      why: 'it does not start with the magic bytes of an IDX file.',
    });
  }
  if (bytes[2] !== 8) {
    throw new CliError('TrafficWrongType', {
      where: name,
      why: `its element type is 0x${(bytes[2] ?? 0).toString(16)}; IDX files of unsigned bytes (0x8) are read.`,
    });
  }
  const sizes = readSizes(bytes, name);
  const [rowCount, ...rowShape] = sizes;
  const dataOffset = 4 + 4 * sizes.length;
  const wanted = sizes.reduce((product, size) => product * size, 1);
  if (rowCount === undefined || bytes.length - dataOffset < wanted) {
    throw truncated(
      name,
      `it has ${bytes.length - dataOffset} elements, but its sizes (${sizes.join(', ')}) need ${wanted}.`,
    );
  }
  const rows = bytes.subarray(dataOffset, dataOffset + wanted);
  return memorySource({ name, rowShape, element: 'u1', labels: null }, rows);
}

function readSizes(bytes: Buffer, name: string): number[] {
  const dimensions = bytes[3] ?? 0;
  if (bytes.length < 4 + 4 * dimensions) throw truncated(name, 'it ends inside its header.');
  return Array.from({ length: dimensions }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
}

function readMaybeGzip(path: string, name: string): Buffer {
  try {
    const bytes = readFileSync(path);
    return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  } catch (error) {
    throw new CliError('TrafficUnreadable', {
      where: name,
      why: `${errorText(error)}.`,
      cause: error,
    });
  }
}

function truncated(name: string, why: string): CliError {
  return new CliError('TrafficUnreadable', {
    where: name,
    why,
    nextStep: 'Copy or write the file again.',
  });
}
