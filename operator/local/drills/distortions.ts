/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
import { createRandom } from '../../../server/core/random.ts';
import { planeStart, strides, type ImageShape } from './image-shape.ts';

/** The values of a row, distorted. Pure; `seed` names the row and the pass over the stream. */
export type Distortion = (values: Float64Array, seed: readonly number[]) => Float64Array;

const TABLE_VALUES = 65_536;

/**
 * Gaussian noise of this standard deviation. Normal values come from one table, read from a place and with an odd step that the
 * seed draws: a row of 784 values takes microseconds, and no two rows read the table alike.
 */
export function addNoise(deviation: number, seed: number): Distortion {
  const source = createRandom([seed, TABLE_VALUES]);
  const table = Float64Array.from({ length: TABLE_VALUES }, () => deviation * source.normal());
  return (values, row) => {
    const random = createRandom(row);
    const start = random.nextUint32();
    const step = random.nextUint32() | 1;
    return values.map((value, i) => {
      const place = (start + Math.imul(step, i)) >>> 0;
      return value + table[place % TABLE_VALUES]!;
    });
  };
}

/** Gaussian blur with this standard deviation in pixels, edges repeated. */
export function blur(shape: ImageShape, deviation: number): Distortion {
  const radius = Math.max(1, Math.ceil(3 * deviation));
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * deviation ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const kernel = weights.map((weight) => weight / total);
  const { x, y } = strides(shape);
  return (values) => {
    const across = convolve(values, shape, { kernel, along: x, size: shape.width });
    return convolve(across, shape, { kernel, along: y, size: shape.height });
  };
}

function convolve(
  values: Float64Array,
  shape: ImageShape,
  line: { readonly kernel: Float64Array; readonly along: number; readonly size: number },
): Float64Array {
  const { kernel, along, size } = line;
  const radius = (kernel.length - 1) / 2;
  const result = new Float64Array(values.length);
  forEachPixel(shape, (at, px, py) => {
    const position = along === strides(shape).x ? px : py;
    let sum = 0;
    for (let k = 0; k < kernel.length; k++) {
      const near = clamp(position + k - radius, size) - position;
      sum += kernel[k]! * values[at + near * along]!;
    }
    result[at] = sum;
  });
  return result;
}

/** Rotation about the centre by an angle in degrees, bilinear, edges repeated. */
export function rotate(shape: ImageShape, degrees: number): Distortion {
  const { height, width } = shape;
  const [sine, cosine] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const step = strides(shape);
  return (values) => {
    const result = new Float64Array(values.length);
    forEachPixel(shape, (at, px, py) => {
      const [dx, dy] = [px - middleX, py - middleY];
      const fromX = middleX + cosine * dx + sine * dy;
      const fromY = middleY - sine * dx + cosine * dy;
      const plane = at - px * step.x - py * step.y;
      result[at] = between(values, shape, { plane, x: fromX, y: fromY });
    });
    return result;
  };
}

function between(
  values: Float64Array,
  shape: ImageShape,
  { plane, x, y }: { readonly plane: number; readonly x: number; readonly y: number },
): number {
  const step = strides(shape);
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [partX, partY] = [x - left, y - top];
  const pixel = (px: number, py: number): number =>
    values[plane + clamp(px, shape.width) * step.x + clamp(py, shape.height) * step.y]!;
  const upper = (1 - partX) * pixel(left, top) + partX * pixel(left + 1, top);
  const lower = (1 - partX) * pixel(left, top + 1) + partX * pixel(left + 1, top + 1);
  return (1 - partY) * upper + partY * lower;
}

function clamp(position: number, size: number): number {
  return Math.max(0, Math.min(size - 1, position));
}

function forEachPixel(shape: ImageShape, visit: (at: number, x: number, y: number) => void): void {
  const step = strides(shape);
  for (let channel = 0; channel < shape.channels; channel++) {
    const plane = planeStart(shape, channel);
    for (let y = 0; y < shape.height; y++) {
      for (let x = 0; x < shape.width; x++) visit(plane + y * step.y + x * step.x, x, y);
    }
  }
}
