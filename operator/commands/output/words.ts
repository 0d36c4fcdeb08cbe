/** `90` -> `90s`, `5400` -> `90m`, as kubectl writes ages: two digits at least, one unit. */
export function ageText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return `${whole}s`;
  if (whole < 7_200) return `${Math.floor(whole / 60)}m`;
  if (whole < 172_800) return `${Math.floor(whole / 3_600)}h`;
  return `${Math.floor(whole / 86_400)}d`;
}

/** The age of a time as Kubernetes writes it; `-` without one. */
export function ageOf(time: string | undefined, nowMs: number): string {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? '-' : ageText((nowMs - ms) / 1000);
}

/** How long something will take, in words that do not promise more than an estimate can: `about 3 h 20 min`. */
export function spanText(seconds: number): string {
  if (seconds < 90) return `about ${Math.max(1, Math.ceil(seconds))} s`;
  if (seconds < 5_400) return `about ${Math.ceil(seconds / 60)} min`;
  if (seconds < 172_800) {
    const minutes = Math.round(seconds / 60);
    const rest = minutes % 60;
    return `about ${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`;
  }
  if (seconds < 365 * 86_400) return `about ${Math.ceil(seconds / 86_400)} days`;
  return 'more than a year';
}

/** 0.00123 -> `0.123%`; three digits that say something. */
export function percentText(ratio: number): string {
  return `${Number((100 * ratio).toPrecision(3))}%`;
}

/** 12345 -> `12,345`. */
export function countText(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** 12.3456 -> `12.3`; 0.02 -> `0.02`. */
export function rateText(perSecond: number): string {
  return `${Number(perSecond.toPrecision(3))}`;
}
