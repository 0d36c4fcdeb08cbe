import { CliError } from '../../errors.ts';
import { openIdx } from './idx.ts';
import { openNpyFile } from './npy.ts';
import type { TrafficSource } from './source.ts';

const READERS: Readonly<Record<string, (bytes: Buffer, index: number) => number>> = {
  '|u1': (bytes, i) => bytes.readUInt8(i),
  '|i1': (bytes, i) => bytes.readInt8(i),
  '<u2': (bytes, i) => bytes.readUInt16LE(2 * i),
  '<i2': (bytes, i) => bytes.readInt16LE(2 * i),
  '<u4': (bytes, i) => bytes.readUInt32LE(4 * i),
  '<i4': (bytes, i) => bytes.readInt32LE(4 * i),
  '<i8': (bytes, i) => Number(bytes.readBigInt64LE(8 * i)),
  '<u8': (bytes, i) => Number(bytes.readBigUInt64LE(8 * i)),
};

/** One integer per row of `traffic`. Labels are for the report; nothing decides by them. */
export function openLabels(source: string, traffic: TrafficSource): Int32Array {
  const name = `--labels ${source}`;
  const colon = source.indexOf(':');
  const kind = source.slice(0, colon);
  const labels =
    kind === 'idx' ? idxLabels(source.slice(colon + 1), name) : npyLabels(source, name);
  if (labels.length !== traffic.rowCount) {
    throw new CliError('LabelsMismatch', {
      where: name,
      why: `there are ${labels.length} labels for ${traffic.rowCount} rows.`,
    });
  }
  return labels;
}

function idxLabels(path: string, name: string): Int32Array {
  const source = openIdx(path, name);
  if (source.rowShape.length > 0) throw notOneNumber(name, [source.rowCount, ...source.rowShape]);
  return Int32Array.from({ length: source.rowCount }, (_, i) => source.readRow(i)[0] ?? -1);
}

function npyLabels(source: string, name: string): Int32Array {
  if (!source.startsWith('npy:')) {
    throw new CliError('LabelsMismatch', {
      where: name,
      why: 'it names no kind of source.',
      nextStep: 'Write npy:FILE or idx:FILE[.gz].',
    });
  }
  const file = openNpyFile(source.slice(4), name);
  try {
    const { descr, shape, dataOffset } = file.header;
    const read = READERS[descr];
    if (read === undefined) {
      throw new CliError('LabelsMismatch', {
        where: name,
        why: `its element type is ${descr}; integers are read.`,
      });
    }
    if (shape.length !== 1) throw notOneNumber(name, shape);
    const bytes = Buffer.alloc((shape[0] ?? 0) * Number(descr.slice(2)));
    file.read(bytes, dataOffset);
    return Int32Array.from({ length: shape[0] ?? 0 }, (_, i) => read(bytes, i));
  } finally {
    file.close();
  }
}

function notOneNumber(name: string, shape: readonly number[]): CliError {
  return new CliError('LabelsMismatch', {
    where: name,
    why: `its shape is (${shape.join(', ')}), not one number per row.`,
  });
}
