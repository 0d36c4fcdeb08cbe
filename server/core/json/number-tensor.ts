/** A place of a list of numbers, and what stands there. */
export interface OddValue {
  /** Of numbers before it. */
  readonly index: number;
  readonly value: unknown;
}

/** The first list within lists that is not as long as its first sister; a value in the place of a list counts as an empty one. */
export interface OddList {
  /** Levels of lists around it. */
  readonly level: number;
  readonly length: number;
  /** Numbers before it. */
  readonly index: number;
}

/** Lists within lists of numbers, as they stood in JSON, and the first of everything about them that may be wrong. */
export class NumberTensor {
  /** In C order, rounded to 32 bits; NaN for what is no number. Those past the limit are counted in `dims` alone. */
  readonly values: Float32Array;
  /** Lengths of the first list of each level, the outermost first. */
  readonly dims: readonly number[];
  /** First value that is no finite number of 32 bits. */
  readonly oddFloat: OddValue | null;
  /** First value that is no whole number from 0 to 255. */
  readonly oddByte: OddValue | null;
  readonly oddList: OddList | null;

  constructor(fields: Pick<NumberTensor, 'values' | 'dims' | 'oddFloat' | 'oddByte' | 'oddList'>) {
    this.values = fields.values;
    this.dims = fields.dims;
    this.oddFloat = fields.oddFloat;
    this.oddByte = fields.oddByte;
    this.oddList = fields.oddList;
  }

  /** For sentences that show it: the beginning, flat. */
  toJSON(): unknown {
    return Array.from(this.values.subarray(0, 32));
  }
}
