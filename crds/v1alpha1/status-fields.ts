import { z } from 'zod';

/**
 * Builders of status fields. The bounds are wide: a status that the API server refuses would hide the very trouble that
 * it tells of.
 */

/** A whole number from 0 up, exact in a double. */
export function count(description: string): z.ZodInt {
  return z.int().min(0).max(Number.MAX_SAFE_INTEGER).meta({ description });
}

/** A text for people or a name, empty allowed. */
export function shortText(description: string, maxLength = 253): z.ZodString {
  return z
    .string()
    .max(maxLength)
    .meta({ description, bounds: `at most ${maxLength} characters` });
}

/** A percentage as it is shown; it may be negative, as a saving. */
export function shownPercent(description: string): z.ZodString {
  return z
    .string()
    .regex(/^-?[0-9]{1,9}(\.[0-9]{1,6})?%$/)
    .meta({ description, bounds: 'percentage', maxLength: 24, example: '1%' });
}
