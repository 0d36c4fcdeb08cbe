import { floatTensorOf, type RuntimeTensor } from './session.ts';

/** Batches up to this many rows keep their tensor object; it views the one buffer. */
const MOST_KEPT = 32;

export interface RowTensor {
  readonly tensor: RuntimeTensor;
  readonly values: Float32Array;
}

/** Memory for a small result of any number of rows, written by one run and read before the next. */
export class RowBuffer {
  private readonly rowDims: readonly number[];
  private readonly rowSize: number;
  private buffer = new Float32Array(0);
  private kept: (RowTensor | undefined)[] = [];

  constructor(rowDims: readonly number[]) {
    this.rowDims = rowDims;
    this.rowSize = rowDims.reduce((all, dim) => all * dim, 1);
  }

  of(rows: number): RowTensor {
    const known = this.kept[rows];
    if (known !== undefined) return known;
    if (rows * this.rowSize > this.buffer.length) {
      this.buffer = new Float32Array(rows * this.rowSize);
      this.kept = [];
    }
    const values = this.buffer.subarray(0, rows * this.rowSize);
    const made = { tensor: floatTensorOf(values, [rows, ...this.rowDims]), values };
    if (rows <= MOST_KEPT) this.kept[rows] = made;
    return made;
  }
}
