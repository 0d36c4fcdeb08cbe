/** How the values of a row lie when it is a picture. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** True: one plane per channel; false: the channels of a pixel lie together. */
  readonly isPlanar: boolean;
}

/**
 * Reads a row's shape as a picture: (height, width), or with a channel axis of 1, 3 or 4 first or last. A flat row is read by
 * the model's own row shape. Null: it is no picture.
 */
export function imageShape(
  rowShape: readonly number[],
  modelRowShape: readonly number[],
): ImageShape | null {
  if (rowShape.length === 1 && modelRowShape.length > 1) return imageShape(modelRowShape, []);
  if (rowShape.length === 2) return imageShape([1, ...rowShape], []);
  return rowShape.length === 3 ? withChannels(rowShape) : null;
}

function withChannels([a = 0, b = 0, c = 0]: readonly number[]): ImageShape | null {
  // A picture of 4 x 4 pixels fits both readings: a square one is meant.
  const isFirst = isChannelCount(a) && (b === c || !isChannelCount(c));
  if (isFirst) return { height: b, width: c, channels: a, isPlanar: true };
  return isChannelCount(c) ? { height: a, width: b, channels: c, isPlanar: false } : null;
}

function isChannelCount(size: number): boolean {
  return size === 1 || size === 3 || size === 4;
}

/** Values from one pixel to the next, and from one row of pixels to the next. */
export function strides({ width, channels, isPlanar }: ImageShape): {
  readonly x: number;
  readonly y: number;
} {
  return isPlanar ? { x: 1, y: width } : { x: channels, y: width * channels };
}

/** Where the plane of a channel begins. */
export function planeStart({ height, width, isPlanar }: ImageShape, channel: number): number {
  return isPlanar ? channel * height * width : channel;
}
