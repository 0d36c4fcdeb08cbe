import { z } from 'zod';

/**
 * The exit "same as the previous frame of this source" (exits.md 12): its head reads a comparison of two frames instead of the
 * features of one.
 */
export type Compared = 'PreviousFrame';

/** In a head, a sample or a plan; absent: features of the row alone. Programs of the version before do not know the field. */
export const compares = z.exactOptional(z.literal('PreviousFrame'));

/** What the head reads of a comparison. */
export const COMPARISON_VALUES = 12;

/** In samples one number more, the last: tenths that the earlier answer would have lost, or one of these. */
export const SAMPLED_COMPARISON_VALUES = COMPARISON_VALUES + 1;
/** The row names no source. */
export const NOT_COMPARED = -1;
/** The backbone has to answer it for the next ones. */
export const KEY_FRAME = -2;
