/** How a source's row becomes the model's row: as it lies, or with the channel axis moved. */
export type AxisOrder = 'AsIs' | 'HwcToChw' | 'ChwToHwc';

export interface RowLayout {
  /** The model's row shape with free sizes filled in. */
  readonly shape: readonly number[];
  readonly order: AxisOrder;
}

export type ModelLayout = 'NCHW' | 'NHWC' | undefined;

/**
 * Fits a source's row shape to the model's (-1 = free size). Null: they do not fit. A shape that fits both as it lies and
 * transposed is read by its channel count: a last axis of 1, 3 or 4 before a model in NCHW is a channel axis.
 */
export function fitRowLayout(
  source: readonly number[],
  model: readonly number[],
  layout: ModelLayout,
): RowLayout | null {
  const candidates = orders(source, model, layout);
  for (const order of candidates) {
    const shape = fill(reorder(source, order), model);
    if (shape !== null) return { shape, order };
  }
  return isSameCount(source, model) ? { shape: model, order: 'AsIs' } : null;
}

function orders(
  source: readonly number[],
  model: readonly number[],
  layout: ModelLayout,
): AxisOrder[] {
  if (source.length !== 3 || model.length !== 3) return ['AsIs'];
  const looksHwc = isChannelCount(source[2]) && !isChannelCount(source[0]);
  const looksChw = isChannelCount(source[0]) && !isChannelCount(source[2]);
  if (layout === 'NCHW' && looksHwc) return ['HwcToChw', 'AsIs'];
  if (layout === 'NHWC' && looksChw) return ['ChwToHwc', 'AsIs'];
  return ['AsIs', 'HwcToChw', 'ChwToHwc'];
}

function isChannelCount(size: number | undefined): boolean {
  return size === 1 || size === 3 || size === 4;
}

function reorder(shape: readonly number[], order: AxisOrder): readonly number[] {
  const [a = 1, b = 1, c = 1] = shape;
  if (order === 'AsIs') return shape;
  return order === 'HwcToChw' ? [c, a, b] : [b, c, a];
}

function fill(shape: readonly number[], model: readonly number[]): readonly number[] | null {
  if (shape.length !== model.length) return null;
  return shape.every((size, axis) => model[axis] === -1 || model[axis] === size) ? shape : null;
}

/** A flat row, or one without its single channel axis, lies like the model's row. */
function isSameCount(source: readonly number[], model: readonly number[]): boolean {
  if (model.some((size) => size < 0)) return false;
  const squeezed = (shape: readonly number[]): string => shape.filter((size) => size !== 1).join();
  const count = model.reduce((product, size) => product * size, 1);
  return squeezed(source) === squeezed(model) || (source.length === 1 && source[0] === count);
}
