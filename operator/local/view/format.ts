/** 0.01 -> "1%"; as many decimals as say something. */
export function percent(ratio: number | null, decimals = 1): string {
  return ratio === null || !Number.isFinite(ratio) ? '-' : `${(ratio * 100).toFixed(decimals)}%`;
}

/** 0.01 -> "1%", 0.005 -> "0.5%": a setting, without trailing zeros. */
export function plainPercent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(6))}%`;
}

export function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

export function milliseconds(value: number | null): string {
  return value === null || !Number.isFinite(value) ? '-' : value.toFixed(value < 100 ? 1 : 0);
}

export function seconds(ms: number): string {
  const s = ms / 1000;
  return s < 60 ? `${s.toFixed(1)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
}

const BAR_WIDTH = 20;

/** [####----]; an unknown end gives an empty bar. */
export function bar(done: number, wanted: number | null): string {
  const ratio = wanted === null || wanted <= 0 ? 0 : Math.min(1, done / wanted);
  const filled = Math.round(ratio * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`;
}
