// What a student looks like, apart from its weights.

/** One convolution of 3 x 3, padding 1. */
export interface ConvolutionShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: 1 | 2;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** Extent after a convolution of 3 x 3 with padding 1. */
export function outExtent(extent: number, stride: 1 | 2): number {
  return Math.floor((extent - 1) / stride) + 1;
}

/** Convolutions one after the other on rows of the given extent. */
export function convolutionShapes(
  input: { readonly channels: number; readonly height: number; readonly width: number },
  layers: readonly { readonly outputs: number; readonly stride: 1 | 2 }[],
): readonly ConvolutionShape[] {
  const shapes: ConvolutionShape[] = [];
  let { channels: inputs, height, width } = input;
  for (const { outputs, stride } of layers) {
    const outHeight = outExtent(height, stride);
    const outWidth = outExtent(width, stride);
    shapes.push({ inputs, outputs, stride, height, width, outHeight, outWidth });
    [inputs, height, width] = [outputs, outHeight, outWidth];
  }
  return shapes;
}

/** Multiply-adds of one row. */
export function studentMacs(shapes: readonly ConvolutionShape[], classCount: number): number {
  const convolutions = shapes.reduce(
    (sum, { inputs, outputs, outHeight, outWidth }) =>
      sum + 9 * inputs * outputs * outHeight * outWidth,
    0,
  );
  return convolutions + (shapes.at(-1)?.outputs ?? 0) * classCount;
}
