import { fromHalf, toHalf } from '../../../crds/wire/half-float.ts';
import { rowBytes, type Element, type TrafficSource } from '../traffic/source.ts';
import type { Distortion } from './distortions.ts';

interface Codec {
  readonly read: (row: Buffer, i: number) => number;
  readonly write: (row: Buffer, i: number, value: number) => void;
}

const CODECS: Readonly<Record<Element, Codec>> = {
  u1: {
    read: (row, i) => row[i] ?? 0,
    write: (row, i, value) => {
      row[i] = Math.max(0, Math.min(255, Math.round(value)));
    },
  },
  f4: {
    read: (row, i) => row.readFloatLE(4 * i),
    write: (row, i, value) => {
      row.writeFloatLE(value, 4 * i);
    },
  },
  f2: {
    read: (row, i) => fromHalf(row.readUInt16LE(2 * i)),
    write: (row, i, value) => {
      row.writeUInt16LE(toHalf(value), 2 * i);
    },
  },
};

/**
 * The rows of a source, distorted: the same row of the same pass is always the same, so that it can be read again for the
 * comparison with the backbone. Closing is the inner source's matter.
 */
export function distortSource(
  inner: TrafficSource,
  distortion: Distortion,
  pass: number,
): TrafficSource {
  const { read, write } = CODECS[inner.element];
  const size = rowBytes(inner);
  const count = inner.rowShape.reduce((product, length) => product * length, 1);
  const values = new Float64Array(count);
  return {
    ...inner,
    readRow: (index) => {
      const raw = inner.readRow(index);
      for (let i = 0; i < count; i++) values[i] = read(raw, i);
      const distorted = distortion(values, [pass, index]);
      // A buffer of its own for each row: requests are encoded while others are still on their way.
      const row = Buffer.allocUnsafe(size);
      for (let i = 0; i < count; i++) write(row, i, distorted[i] ?? 0);
      return row;
    },
    close: () => undefined,
  };
}

const RANGE_ROWS = 100;

/** Largest minus smallest value that rows of this source take: 255 for bytes, else what its first rows show. */
export function valueRange(source: TrafficSource): number {
  if (source.element === 'u1') return 255;
  const { read } = CODECS[source.element];
  const count = source.rowShape.reduce((product, length) => product * length, 1);
  let [least, most] = [Infinity, -Infinity];
  for (let index = 0; index < Math.min(RANGE_ROWS, source.rowCount); index++) {
    const row = source.readRow(index);
    for (let i = 0; i < count; i++) {
      const value = read(row, i);
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  return Number.isFinite(most - least) && most > least ? most - least : 1;
}
