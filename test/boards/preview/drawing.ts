import type { Interval } from '../scripted-run.ts';

/** Pixels of a chart, and the time that it shows. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly interval: Interval;
}

/** Pixels for the names of rows or values. */
export const LEFT = 62;
/** And for times. */
export const BOTTOM = 18;

/** Pixels of a second, where so many are left for the time. */
export function secondWidth({ from, to }: Interval, width: number): number {
  return width / Math.max(1, to - from);
}
