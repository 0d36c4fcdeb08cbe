import { z } from 'zod';

import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { parsePercent, PERCENT_PATTERN } from './percent.ts';

/**
 * Numbers that are strings in a manifest. The range stands twice, as CEL for the API server and as `refine` for our
 * parser, both made from one `Bounds`. A failed pattern does not keep the API server from evaluating CEL, so the CEL
 * tests the pattern first; otherwise a malformed value would be answered with a conversion error.
 */

/** Lower bound, upper bound, and the value that messages show, all as they stand in a manifest. */
export type Bounds = readonly [min: string, max: string, example: string];

export interface TextUnit {
  readonly noun: string;
  readonly pattern: RegExp;
  readonly parse: (text: string) => number;
  /** CEL of the number that `self`, a string of this pattern, stands for. */
  readonly celSelf: string;
  readonly celOf: (text: string) => string;
}

export const PERCENT_UNIT: TextUnit = {
  noun: 'percentage',
  pattern: PERCENT_PATTERN,
  parse: parsePercent,
  celSelf: "double(self.replace('%', ''))",
  celOf: (text) => Number(text.slice(0, -1)).toFixed(4),
};

export const DURATION_UNIT: TextUnit = {
  noun: 'duration',
  pattern: DURATION_PATTERN,
  parse: parseDuration,
  celSelf: 'duration(self)',
  celOf: (text) => `duration('${text}')`,
};

/** Longer than any value of the patterns, so that a long wrong value is still answered with the sentence below. */
const MAX_LENGTH = 64;

function messageOf({ noun }: TextUnit, [min, max, example]: Bounds): string {
  return `write a ${noun} between ${min} and ${max}, for example "${example}"`;
}

/** `self.matches(...)` for a pattern of ours; raw strings keep the backslashes. */
export function celMatches(value: string, pattern: RegExp): string {
  return `${value}.matches(r'${pattern.source}')`;
}

/** What the API server needs to know about such a field. */
export function boundedTextMeta(unit: TextUnit, bounds: Bounds): Record<string, unknown> {
  const { celSelf, celOf, pattern } = unit;
  const [min, max] = bounds;
  const inRange = `${celSelf} >= ${celOf(min)} && ${celSelf} <= ${celOf(max)}`;
  return {
    maxLength: MAX_LENGTH,
    'x-kubernetes-validations': [
      {
        rule: `${celMatches('self', pattern)} && ${inRange}`,
        message: messageOf(unit, bounds),
      },
    ],
  };
}

/** A string of the unit's pattern within bounds; still a string after `parse`. */
export function boundedText(unit: TextUnit, bounds: Bounds): z.ZodString {
  const message = messageOf(unit, bounds);
  const least = unit.parse(bounds[0]);
  const most = unit.parse(bounds[1]);
  return z
    .string(`expected a ${unit.noun} string: ${message}`)
    .regex(unit.pattern, { message, abort: true })
    .refine((text) => unit.parse(text) >= least && unit.parse(text) <= most, message);
}
