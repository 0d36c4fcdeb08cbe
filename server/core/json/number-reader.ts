import { CLOSE_LIST, COMMA, digitAt, MINUS, SPACE } from './json-bytes.ts';
import { MalformedJsonError } from './malformed-json-error.ts';

const POINT = 0x2e;
const PLUS = 0x2b;
const LETTER_E = 0x65;
const LOWER_CASE = 0x20;

/** Powers of ten that a double has exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** Whole numbers up to here are doubles. */
const EXACT = 2 ** 53;

/** Digits are taken nine at a time, as whole numbers of 32 bits. */
const NINE = 9;

/** A mantissa of up to 31 digits is put together with at most eight roundings, each off by at most 2^-53 of it; this is more. */
const SPREAD = 2 ** -48;

/** Longest number: a million digits mean nothing, and would have to be read at once. */
const MAX_LENGTH = 4_096;

/** Reads the numbers of JSON, most of them without making texts of them. */
export class NumberReader {
  /** Behind the number that was read last. */
  at = 0;

  private readonly bytes: Uint8Array;
  private from = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /**
   * Math.fround(Number(text)) of the number in a list that starts at `from`, if it has at most 9 digits before the point and 22 behind it,
   * and no exponent. NaN: it has not, or is none, or its digits do not decide 32 bits; `at` is not to be used then.
   *
   * A mantissa up to 2^53 and a power of ten make one correctly rounded division (Clinger 1990). A longer one makes a double that is
   * known to 2^-48, which decides 32 bits unless a border between two floats lies that near.
   */
  short(from: number): number {
    const { bytes } = this;
    const isNegative = bytes[from] === MINUS;
    const start = isNegative ? from + 1 : from;
    const whole = this.nine(start);
    const end = this.at;
    if (end === start || (end > start + 1 && digitAt(bytes, start) === 0)) return Number.NaN;
    const value = bytes[end] === POINT ? this.withFraction(whole, end + 1) : whole;
    if (!isEnd(bytes[this.at])) return Number.NaN;
    return isNegative ? -value : value;
  }

  private withFraction(whole: number, start: number): number {
    const fraction = this.fraction(start);
    const count = this.at - start;
    if (count === 0) return Number.NaN;
    // Past the last exact power this is NaN as well.
    const mantissa = whole * power(count) + fraction;
    const value = mantissa / power(count);
    if (mantissa <= EXACT) return Math.fround(value);
    const nearest = Math.fround(value - value * SPREAD);
    return nearest === Math.fround(value + value * SPREAD) ? nearest : Number.NaN;
  }

  /** Up to 27 digits as a whole number, `at` behind them. */
  private fraction(start: number): number {
    let value = this.nine(start);
    for (let from = start + NINE; this.at === from && from < start + 3 * NINE; from += NINE) {
      const more = this.nine(from);
      value = value * power(this.at - from) + more;
    }
    return value;
  }

  /** Up to nine digits from `from` on, `at` behind them. */
  private nine(from: number): number {
    const { bytes } = this;
    const stop = from + NINE;
    let at = from;
    let value = 0;
    for (; at < stop; at++) {
      const digit = digitAt(bytes, at);
      if (digit > 9) break;
      value = (value * 10 + digit) | 0;
    }
    this.at = at;
    return value;
  }

  /** Reads any number that starts at `from`; false: none does. Throws MalformedJsonError when it is too long. */
  scan(from: number): boolean {
    const { bytes } = this;
    this.from = from;
    const start = bytes[from] === MINUS ? from + 1 : from;
    this.at = this.endOfDigits(start);
    if (this.at === start || (digitAt(bytes, start) === 0 && this.at > start + 1)) return false;
    if (bytes[this.at] === POINT && !this.scanDigits(this.at + 1)) return false;
    return ((bytes[this.at] ?? 0) | LOWER_CASE) !== LETTER_E || this.scanExponent(this.at + 1);
  }

  /** The number that was scanned last. */
  double(): number {
    const { from, at } = this;
    return Number(String.fromCharCode(...this.bytes.subarray(from, at)));
  }

  private scanExponent(start: number): boolean {
    const sign = this.bytes[start];
    return this.scanDigits(sign === MINUS || sign === PLUS ? start + 1 : start);
  }

  private scanDigits(start: number): boolean {
    this.at = this.endOfDigits(start);
    return this.at > start;
  }

  private endOfDigits(start: number): number {
    let at = start;
    while (digitAt(this.bytes, at) <= 9) {
      at += 1;
      if (at - this.from > MAX_LENGTH) {
        throw new MalformedJsonError(`the number at byte ${this.from} is too long.`);
      }
    }
    return at;
  }
}

function isEnd(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_LIST || byte === SPACE || byte === 0x0a;
}

function power(exponent: number): number {
  return Number(POWERS[exponent]);
}
