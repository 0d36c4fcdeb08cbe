/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers come from the data set and the batches */
import type { InputBatch } from '../../../crds/wire/inputs.ts';
import type { StudentInput } from '../../../crds/wire/student.ts';
import type { Dataset } from '../dataset.ts';
import type { RowExtent } from './student-sizes.ts';

/** Input rows of a data set, as far as they are held. Arrays are shared memory: workers read, nobody writes. */
export interface StudentRows {
  readonly extent: RowExtent;
  readonly layout: StudentInput['layout'];
  /** fp16 bits [held rows, ...] in the backbone's layout. */
  readonly inputs: Uint16Array;
  /** [rows of the data set] where a row lies in `inputs`; -1: it is not held. */
  readonly place: Int32Array;
  readonly heldRows: number;
}

/** Axes this short are channels, others places. */
const MOST_CHANNELS = 4;

/** Rows of three axes, one of which is short, are pictures; null: no student is made for other rows. */
export function pictureOf(
  rowShape: readonly number[],
): Pick<StudentRows, 'extent' | 'layout'> | null {
  const [a, b, c] = rowShape;
  if (a === undefined || b === undefined || c === undefined || rowShape.length > 3) return null;
  if (a <= MOST_CHANNELS) {
    return { layout: 'NCHW', extent: { channels: a, height: b, width: c } };
  }
  if (c <= MOST_CHANNELS) {
    return { layout: 'NHWC', extent: { channels: c, height: a, width: b } };
  }
  return null;
}

/**
 * Joins inputs with the rows that have the same pod, boot and number. Null: nothing fits, or rows are no pictures. Batches of another
 * backbone or shape are left out.
 */
export function joinInputs(
  dataset: Pick<Dataset, 'rowCount' | 'pods' | 'pod' | 'sequence'>,
  batches: readonly InputBatch[],
  backboneDigest: string,
): StudentRows | null {
  const fitting = batches.filter((batch) => batch.backboneDigest === backboneDigest);
  const rowShape = fitting[0]?.rowShape ?? [];
  const picture = pictureOf(rowShape);
  if (picture === null) return null;
  const size = rowShape.reduce((product, extent) => product * extent, 1);
  const found = findRows(
    dataset,
    fitting.filter((batch) => batch.rowShape.join() === rowShape.join()),
  );
  const place = new Int32Array(new SharedArrayBuffer(4 * dataset.rowCount)).fill(-1);
  const inputs = new Uint16Array(new SharedArrayBuffer(2 * found.size * size));
  let heldRows = 0;
  for (let row = 0; row < dataset.rowCount; row++) {
    const held = found.get(row);
    if (held === undefined) continue;
    const { batch, index } = held;
    inputs.set(batch.inputs.subarray(index * size, (index + 1) * size), heldRows * size);
    place[row] = heldRows;
    heldRows += 1;
  }
  return heldRows === 0 ? null : { ...picture, inputs, place, heldRows };
}

/** By row of the data set. */
function findRows(
  dataset: Parameters<typeof joinInputs>[0],
  batches: readonly InputBatch[],
): ReadonlyMap<number, { readonly batch: InputBatch; readonly index: number }> {
  const rowOf = new Map<string, number>();
  for (let row = 0; row < dataset.rowCount; row++) {
    const { podUid, bootId } = dataset.pods[dataset.pod[row]!]!;
    rowOf.set(keyOf(podUid, bootId, dataset.sequence[row]!), row);
  }
  const found = new Map<number, { readonly batch: InputBatch; readonly index: number }>();
  for (const batch of batches) {
    for (let index = 0; index < batch.rowCount; index++) {
      const row = rowOf.get(keyOf(batch.podUid, batch.bootId, batch.sequence[index]!));
      if (row !== undefined) found.set(row, { batch, index });
    }
  }
  return found;
}

function keyOf(podUid: string, bootId: string, sequence: number): string {
  return `${podUid} ${bootId} ${sequence}`;
}

/** Those of these rows whose inputs are held. */
export function heldOf({ place }: StudentRows, rows: Uint32Array): Uint32Array {
  return rows.filter((row) => place[row]! >= 0);
}

/** Values [rows, ...] in the backbone's layout. @param isMirrored each row as in a mirror. */
export function inputsOf(
  { inputs, place, extent, layout }: StudentRows,
  rows: Uint32Array,
  isMirrored: boolean,
): Uint16Array {
  const { channels, height, width } = extent;
  const size = channels * height * width;
  const out = new Uint16Array(rows.length * size);
  for (const [i, row] of rows.entries()) {
    const from = place[row]! * size;
    out.set(inputs.subarray(from, from + size), i * size);
  }
  if (!isMirrored) return out;
  const [lines, run] = layout === 'NCHW' ? [channels * height, 1] : [height, channels];
  for (let line = 0; line < rows.length * lines; line++) {
    const first = line * width * run;
    for (let x = 0; x < Math.floor(width / 2); x++) {
      for (let k = 0; k < run; k++) {
        const [a, b] = [first + x * run + k, first + (width - 1 - x) * run + k];
        [out[a], out[b]] = [out[b]!, out[a]!];
      }
    }
  }
  return out;
}
