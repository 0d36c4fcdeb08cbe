// Texts of figures on the page and in report.html. Null, NaN and infinity are a dash: no figure is better than a wrong one.

const DASH = '–';

function known(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}

/** 12345.6 -> "12,346". */
export function grouped(value: number | null): string {
  return known(value) ? Math.round(value).toLocaleString('en-US') : DASH;
}

/** 12345 -> "12,345", 1.7 -> "1.7": rows, and parts of rows to a tenth. */
export function tenths(value: number | null): string {
  if (!known(value) || Number.isInteger(value)) return grouped(value);
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

/** 212.4 -> "212", 3.26 -> "3.3": rates, whole from ten on. */
export function rate(value: number | null): string {
  if (!known(value)) return DASH;
  return value < 9.95 ? value.toFixed(value === 0 ? 0 : 1) : grouped(value);
}

/** 0.4153 -> "41.5%". */
export function percent(ratio: number | null): string {
  return known(ratio) ? `${(ratio * 100).toFixed(1)}%` : DASH;
}

/** 0.00712 -> "0.71%": shares that are compared with a budget. */
export function finePercent(ratio: number | null): string {
  return known(ratio) ? `${(ratio * 100).toFixed(2)}%` : DASH;
}

/** 0.005 -> "0.5%": a setting, as many decimals as say something. */
export function plainPercent(ratio: number | null): string {
  return known(ratio) ? `${Number((ratio * 100).toPrecision(6))}%` : DASH;
}

/** 3.14159 -> "3.14", 31.4 -> "31.4", 314 -> "314", without the unit. */
export function milliseconds(value: number | null): string {
  if (!known(value)) return DASH;
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

/** 95.2 -> "1:35": a clock. */
export function clockTime(seconds: number | null): string {
  if (!known(seconds)) return DASH;
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  const tail = String(rest).padStart(2, '0');
  return hours === 0
    ? `${minutes}:${tail}`
    : `${hours}:${String(minutes).padStart(2, '0')}:${tail}`;
}

/**
 * How the times of a picture are written. Of a run (`startMs` null) as its clock. Of a service in a cluster, whose second 0 is
 * `startMs` after 1970, as the time of day in UTC like everything that kubectl prints; with its date when it is not the day
 * of `atSeconds`.
 */
export function timeText(
  startMs: number | null,
  atSeconds: number,
): (seconds: number | null) => string {
  if (startMs === null) return clockTime;
  const iso = (seconds: number): string => new Date(startMs + 1000 * seconds).toISOString();
  const today = iso(atSeconds).slice(0, 10);
  return (seconds) => {
    if (!known(seconds)) return DASH;
    const text = iso(seconds);
    return text.startsWith(today)
      ? text.slice(11, 19)
      : `${text.slice(5, 10)} ${text.slice(11, 16)}`;
  };
}

/** 2.13 -> "2.1 s", 95.2 -> "1 min 35 s": how long something took. */
export function duration(seconds: number | null): string {
  if (!known(seconds)) return DASH;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 2097152 -> "2.0 MiB". */
export function bytes(value: number | null): string {
  if (!known(value)) return DASH;
  const unit = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  const scaled = value / 1024 ** unit;
  return `${scaled.toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit] ?? ''}`;
}

/** 0.00316 -> "0.00316": three digits that count. */
export function lambda(value: number | null): string {
  return known(value) ? String(Number(value.toPrecision(3))) : DASH;
}

/** "sha256:0123456789ab..." -> "01234567": enough to tell head revisions of one run apart. */
export function shortDigest(digest: string | null): string {
  return digest === null ? DASH : digest.replace(/^sha256:/, '').slice(0, 8);
}

/** What the page calls a formatter, so that a test can write the same text. */
export const FORMATS = {
  grouped,
  tenths,
  rate,
  percent,
  finePercent,
  plainPercent,
  milliseconds,
  clockTime,
  duration,
  bytes,
  lambda,
} as const;

export type FormatName = keyof typeof FORMATS;
