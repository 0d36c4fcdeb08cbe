/** Three digits, thousands apart: more would not come out again. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const rounded = Number(value.toPrecision(3));
  const decimals = rounded >= 100 ? 0 : rounded >= 10 ? 1 : 2;
  return rounded.toLocaleString('en-US', {
    minimumFractionDigits: 0,
    maximumFractionDigits: decimals,
  });
}
