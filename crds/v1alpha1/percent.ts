/** A percentage as it stands in a manifest: at most 100, up to four decimals, `%` required. */
export const PERCENT_PATTERN = /^(100|[0-9]{1,2}(\.[0-9]{1,4})?)%$/;

/** `'1%'` -> 0.01. Anything that does not match `PERCENT_PATTERN` gives NaN: the schema refused it before. */
export function parsePercent(text: string): number {
  if (!PERCENT_PATTERN.test(text)) return NaN;
  // Through the decimal exponent, so that '0.7%' is the double 0.007 and not 0.7 / 100 = 0.006999999999999999.
  return Number(`${text.slice(0, -1)}e-2`);
}

/** 0.01 -> `'1%'`, rounded to four decimals of a percent. Domain 0..1. */
export function formatPercent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(4))}%`;
}
