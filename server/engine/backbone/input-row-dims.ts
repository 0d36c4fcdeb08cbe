import { EngineError } from '../engine-error.ts';

/**
 * Shape of one input row. Free spatial sizes of a picture are filled in.
 * @param extents per axis of a row of three axes, in the layout of the model: what a free size is; undefined: it must be given.
 * @throws EngineError UnsupportedModel: a size stays free.
 */
export function inputRowDims(
  path: string,
  input: { readonly name: string; readonly dims: readonly number[] | null },
  extents: readonly (number | undefined)[],
): readonly number[] {
  const rowDims = (input.dims ?? []).slice(1);
  const filled =
    rowDims.length === 3
      ? rowDims.map((dim, axis) => (dim > 0 ? dim : (extents[axis] ?? dim)))
      : rowDims;
  if (filled.length === 0 || filled.some((dim) => dim <= 0)) {
    throw new EngineError(
      'UnsupportedModel',
      `input ${input.name} of ${path} has free dimensions [${(input.dims ?? []).join(', ')}]; ` +
        `only the number of rows may be free: export it with fixed sizes, or name image.width and image.height in layercache.json`,
    );
  }
  return filled;
}
