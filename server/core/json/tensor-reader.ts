import { CLOSE_LIST, COMMA, OPEN_LIST, skipSpace, SPACE } from './json-bytes.ts';
import { doesNotParse } from './malformed-json-error.ts';
import type { NumberReader } from './number-reader.ts';
import { NumberTensor, type OddList, type OddValue } from './number-tensor.ts';

/** Numbers of most requests: their memory is taken at once. */
const FIRST_CAPACITY = 4_096;

/** The lists of one depth, of which one is open at a time. */
interface Level {
  /** Lists around each. */
  readonly depth: number;
  readonly outer: Level | null;
  inner: Level | null;
  /** Values so far of the one that is open. */
  length: number;
  /** Values of the first; -1: it has not ended yet. */
  firstLength: number;
}

export interface TensorPlace {
  /** The first number. */
  readonly at: number;
  /** Lists that are open there. */
  readonly rank: number;
  /** Numbers that are kept. */
  readonly maxElements: number;
}

/**
 * Reads lists within lists of numbers into one array, as far as it is told and from where it stopped. Starts inside the lists, at their
 * first number. What is no number it leaves to its caller.
 */
export class TensorReader {
  /** The next byte to read. */
  at: number;
  /** A value that is no number starts at `at`; `addOther` says what it was. */
  isAtOther = false;
  hasEnded = false;

  private readonly bytes: Uint8Array;
  private readonly numbers: NumberReader;
  private readonly maxElements: number;
  private readonly outermost: Level;
  /** Of the list in which the next value or separator stands. */
  private level: Level;
  /** Whether a value comes next; else what stands between values. */
  private isValueNext = true;
  private values = new Float32Array(FIRST_CAPACITY);
  private count = 0;
  private oddFloat: OddValue | null = null;
  private oddByte: OddValue | null = null;
  private oddList: OddList | null = null;

  constructor(bytes: Uint8Array, numbers: NumberReader, place: TensorPlace) {
    this.bytes = bytes;
    this.numbers = numbers;
    this.at = place.at;
    this.maxElements = place.maxElements;
    this.outermost = toLevel(null);
    this.level = this.outermost;
    for (let rank = 1; rank < place.rank; rank++) {
      const inner = toLevel(this.level);
      this.level.inner = inner;
      this.level = inner;
    }
  }

  /** Reads on to the end of the outermost list, a value that is no number, or a little past `stop`. */
  read(stop: number): void {
    while (!this.hasEnded && !this.isAtOther) {
      this.at = skipSpace(this.bytes, this.at, stop);
      if (this.at >= stop) return;
      if (!this.isValueNext) this.readSeparator();
      else if (this.level.inner === null) this.readNumbers(stop);
      else this.readList(this.level.inner);
    }
  }

  /** Lists of it that are open. */
  get openLists(): number {
    return this.level.depth + 1;
  }

  /** The value that was no number, and where it ended. */
  addOther(value: unknown, end: number): void {
    if (this.level.inner === null) {
      this.oddFloat ??= { index: this.count, value };
      this.oddByte ??= { index: this.count, value };
      this.append(Number.NaN);
    } else {
      this.oddList ??= { level: this.level.depth + 1, length: 0, index: this.count };
      this.level.length += 1;
    }
    this.isAtOther = false;
    this.isValueNext = false;
    this.at = end;
  }

  /** Once it has ended. */
  result(): NumberTensor {
    const { oddFloat, oddByte, oddList, count } = this;
    const dims: number[] = [];
    for (let level: Level | null = this.outermost; level !== null; level = level.inner) {
      dims.push(level.firstLength);
    }
    const kept = Math.min(count, this.values.length);
    // Little of a large array is not worth keeping all of it.
    const isFull = kept > this.values.length / 2 || this.values.length === FIRST_CAPACITY;
    const values = isFull ? this.values.subarray(0, kept) : this.values.slice(0, kept);
    return new NumberTensor({ values, dims, oddFloat, oddByte, oddList });
  }

  private readNumbers(stop: number): void {
    this.readShortNumbers(stop);
    if (!this.isValueNext) return;
    this.at = skipSpace(this.bytes, this.at, stop);
    if (this.at < stop) this.readAnyNumber();
  }

  /** The loop in which requests spend their time: numbers of usual length with a comma and at most one space between them. */
  private readShortNumbers(stop: number): void {
    const { bytes, numbers, values } = this;
    let { at, count } = this;
    while (at < stop && count < values.length) {
      const value = numbers.short(at);
      if (Number.isNaN(value)) break;
      if (this.oddByte === null && !isByte(value, numbers.at - at)) this.checkByte(at, count);
      values[count] = value;
      count += 1;
      at = numbers.at;
      if (bytes[at] !== COMMA) {
        this.isValueNext = false;
        break;
      }
      at += bytes[at + 1] === SPACE ? 2 : 1;
    }
    this.level.length += count - this.count;
    this.count = count;
    this.at = at;
  }

  private readAnyNumber(): void {
    const { numbers, at, count } = this;
    if (!numbers.scan(at)) {
      this.leave();
      return;
    }
    if (this.oddByte === null) this.checkByte(at, count);
    const value = numbers.double();
    if (!Number.isFinite(Math.fround(value))) this.oddFloat ??= { index: count, value };
    this.append(value);
    this.at = numbers.at;
    this.isValueNext = false;
  }

  /** Also 7.0000000000 and 1e2 are whole numbers. */
  private checkByte(at: number, index: number): void {
    this.numbers.scan(at);
    const value = this.numbers.double();
    if (!(Number.isInteger(value) && value >= 0 && value <= 255)) this.oddByte = { index, value };
  }

  private append(value: number): void {
    if (this.count === this.values.length) this.grow();
    // Past the limit the array is not written to, and nothing happens.
    this.values[this.count] = value;
    this.count += 1;
    this.level.length += 1;
  }

  /** To as many numbers as there may be in what is left, of two bytes each: memory that is not written to costs nothing. */
  private grow(): void {
    const possible = this.count + Math.ceil((this.bytes.length - this.at) / 2);
    const capacity = Math.min(possible, this.maxElements);
    if (capacity <= this.values.length) return;
    const values = new Float32Array(capacity);
    values.set(this.values);
    this.values = values;
  }

  /** At what is no number: another value, or the end of a list that is empty. */
  private leave(): void {
    const isEmpty = this.bytes[this.at] === CLOSE_LIST && this.level.length === 0;
    if (isEmpty) this.closeList();
    else this.isAtOther = true;
  }

  private readList(inner: Level): void {
    if (this.bytes[this.at] !== OPEN_LIST) {
      this.leave();
      return;
    }
    inner.length = 0;
    this.level = inner;
    this.at += 1;
  }

  private readSeparator(): void {
    const byte = this.bytes[this.at];
    if (byte === CLOSE_LIST) this.closeList();
    else if (byte === COMMA) {
      this.isValueNext = true;
      this.at += 1;
    } else throw doesNotParse(this.at);
  }

  private closeList(): void {
    const { length, firstLength, depth, outer } = this.level;
    this.at += 1;
    this.isValueNext = false;
    if (firstLength === -1) this.level.firstLength = length;
    else if (firstLength !== length) this.oddList ??= { level: depth, length, index: this.count };
    if (outer === null) this.hasEnded = true;
    else {
      outer.length += 1;
      this.level = outer;
    }
  }
}

/** Of a number without exponent: so few digits do not round to a whole number of 32 bits unless they are one. */
function isByte(value: number, length: number): boolean {
  return length <= 7 && Number.isInteger(value) && value >= 0 && value <= 255;
}

function toLevel(outer: Level | null): Level {
  const depth = outer === null ? 0 : outer.depth + 1;
  return { depth, outer, inner: null, length: 0, firstLength: -1 };
}
