import type { Interval } from '../script-clock.ts';

/** Pixels of a chart, and the time that it shows. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly interval: Interval;
}

/** Pixels for times. */
export const BOTTOM = 18;
/** A little more than a letter of 11 pixels takes on average. */
const LETTER = 6.4;
const MARGIN = 12;

/** Pixels for the names of rows or values, the longest of them whole. */
export function roomFor(texts: readonly string[]): number {
  return MARGIN + LETTER * Math.max(0, ...texts.map(({ length }) => length));
}

/** Pixels of a second, where so many are left for the time. */
export function secondWidth({ from, to }: Interval, width: number): number {
  return width / Math.max(1, to - from);
}
