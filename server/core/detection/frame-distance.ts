/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
import { invariant } from '../invariant.ts';

export interface FrameDistance {
  /** Mean over cells and channels of |a - b| / scale. */
  readonly mean: number;
  /** The largest mean of a cell: something small that moves changes one cell alone. */
  readonly largest: number;
}

/**
 * How far two frames are apart by their pooled features.
 * @param scale [channels] spread of each channel over traffic, above 0.
 * Features are [cells, channels] as `poolActivation` gives them; other lengths throw InvariantError. Not finite in, NaN or
 * infinite out: no score of that lets a row leave.
 */
export function frameDistance(
  a: Float32Array,
  b: Float32Array,
  scale: readonly number[],
): FrameDistance {
  const channels = scale.length;
  const cells = a.length / channels;
  invariant(
    a.length === b.length && Number.isInteger(cells) && cells > 0,
    `frames of ${a.length} and ${b.length} features, ${channels} channels`,
  );
  let total = 0;
  let largest = 0;
  for (let cell = 0; cell < cells; cell++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      const i = cell * channels + channel;
      sum += Math.abs(a[i]! - b[i]!) / scale[channel]!;
    }
    total += sum;
    // Math.max keeps NaN.
    largest = Math.max(largest, sum / channels);
  }
  return { mean: total / a.length, largest };
}
