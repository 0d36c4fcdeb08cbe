import {
  convolutionShapes,
  outExtent,
  studentMacs,
  type ConvolutionShape,
} from '../../../server/core/student/student-shape.ts';

/** What a row of the backbone's input is, without its batch axis. */
export interface RowExtent {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** The last maps of a student are at most so wide and high: the mean over them loses nothing of use. */
const LAST_EXTENT = 4;
/** Maps wider than this are halved before anything else is computed on them: most of the work of a network lies there. */
const WIDE_EXTENT = 16;
const NARROWEST = 4;
const WIDEST = 64;

/**
 * The widest student whose multiply-adds stay within `share` of the backbone's: a convolution of stride 2 and one of stride 1 per
 * halving, filters doubling with each. Null: not even the narrowest does.
 */
export function studentShapes(
  row: RowExtent,
  backbone: { readonly macs: number; readonly classCount: number },
  share: number,
): readonly ConvolutionShape[] | null {
  for (let width = WIDEST; width >= NARROWEST; width -= 2) {
    const shapes = convolutionShapes(row, layers(row, width));
    if (studentMacs(shapes, backbone.classCount) <= share * backbone.macs) return shapes;
  }
  return null;
}

function layers(row: RowExtent, width: number): { outputs: number; stride: 1 | 2 }[] {
  const found: { outputs: number; stride: 1 | 2 }[] = [];
  let extent = Math.max(row.height, row.width);
  let outputs = width;
  if (extent <= WIDE_EXTENT) found.push({ outputs, stride: 1 });
  while (extent > LAST_EXTENT) {
    const isWide = outExtent(extent, 2) > WIDE_EXTENT;
    found.push({ outputs, stride: 2 });
    if (!isWide) found.push({ outputs, stride: 1 });
    extent = outExtent(extent, 2);
    if (!isWide) outputs *= 2;
  }
  return found;
}
