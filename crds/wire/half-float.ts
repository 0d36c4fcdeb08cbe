/**
 * IEEE 754 binary16 by hand: Node 20 has no Float16Array. Rounds to nearest, ties to even; saturates instead of
 * overflowing, so a stored feature or weight is never infinite unless it was NaN.
 */

const LARGEST_HALF = 65504;
const NAN_BITS = 0x7e00;
const SMALLEST_NORMAL = 2 ** -14;
const SUBNORMAL_STEP = 2 ** -24;

const doubleView = new DataView(new ArrayBuffer(8));

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1;
  return floor;
}

/**
 * Bits of the nearest half float. Beyond +-65504, infinities included, gives +-65504; NaN gives the quiet NaN 0x7e00;
 * the sign of zero is kept.
 */
export function toHalf(x: number): number {
  if (Number.isNaN(x)) return NAN_BITS;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const magnitude = Math.min(Math.abs(x), LARGEST_HALF);
  if (magnitude < SMALLEST_NORMAL) return sign | roundHalfToEven(magnitude / SUBNORMAL_STEP);
  // The exponent field of the double: Math.log2 is off by one beside some powers of two.
  doubleView.setFloat64(0, magnitude);
  const exponent = (doubleView.getUint16(0) >> 4) - 1023;
  const mantissa = roundHalfToEven((magnitude / 2 ** exponent - 1) * 1024);
  // A mantissa of 1024 carries into the exponent by plain addition.
  return sign | (((exponent + 15) << 10) + mantissa);
}

function halfTable(): Float32Array {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const mantissa = bits & 1023;
    if (exponent === 0) table[bits] = sign * mantissa * SUBNORMAL_STEP;
    else if (exponent === 31) table[bits] = mantissa === 0 ? sign * Infinity : NaN;
    else table[bits] = sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
  }
  return table;
}

const TABLE = halfTable();

/** Value of half-float bits (0..65535), exact. Other numbers give NaN. */
export function fromHalf(bits: number): number {
  return TABLE[bits] ?? NaN;
}

/** True when the bits are neither an infinity nor NaN. */
export function isFiniteHalf(bits: number): boolean {
  return (bits & 0x7c00) !== 0x7c00;
}

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** The same as `toHalf` on a float32, by its bits: features are encoded for every sampled row. */
function floatToHalf(x: number): number {
  scratchFloat[0] = x;
  const bits = Number(scratchBits[0]);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return NAN_BITS;
  if (magnitude >= 0x477ff000) return sign | 0x7bff;
  if (magnitude < 0x38800000) {
    // Subnormal: adding 0.5 makes the float adder shift and round (ties to even) the ten bits we want.
    scratchBits[0] = magnitude;
    scratchFloat[0] = scratchFloat[0] + 0.5;
    return sign | (scratchBits[0] - 0x3f000000);
  }
  const oddBit = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + oddBit) >>> 13);
}

/** Bits of each value, as `toHalf`. */
export function encodeHalf(values: Float32Array): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = floatToHalf(Number(values[i]));
  return bits;
}

/** Value of each half float, as `fromHalf`. */
export function decodeHalf(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = fromHalf(Number(bits[i]));
  return values;
}
