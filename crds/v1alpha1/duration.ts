/** A duration as it stands in a manifest: one to four groups of digits and unit, as in `1h30m`. */
export const DURATION_PATTERN = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `'1h30m'` -> 5,400,000 milliseconds. Anything that does not match `DURATION_PATTERN` gives NaN. */
export function parseDuration(text: string): number {
  if (!DURATION_PATTERN.test(text)) return NaN;
  let sum = 0;
  for (const [, digits, unit] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) {
    sum += Number(digits) * Number(UNIT_MS[String(unit)]);
  }
  return sum;
}

/** 5,400,000 -> `'1h30m'`. Domain: whole milliseconds, not negative; 0 gives `'0s'`. */
export function formatDuration(durationMs: number): string {
  let rest = durationMs;
  let text = '';
  for (const [unit, unitMs] of Object.entries(UNIT_MS)) {
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text === '' ? '0s' : text;
}
