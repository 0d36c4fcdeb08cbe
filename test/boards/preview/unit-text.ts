import type { Unit } from '../../../charts/generate/dashboards/panel.ts';

const WRITERS: Readonly<Record<Unit, (value: number) => string>> = {
  percentunit: (value) => `${digits(value * 100)}%`,
  percent: (value) => `${digits(value)}%`,
  s: secondsText,
  bytes: bytesText,
  mbytes: (value) => bytesText(value * 1024 ** 2),
  reqps: (value) => `${digits(value)} req/s`,
  bool: (value) => (value === 0 ? 'no' : 'yes'),
  short: digits,
  'suffix: rows/s': (value) => `${digits(value)} rows/s`,
  'suffix: events/s': (value) => `${digits(value)} events/s`,
  'suffix: s/s': (value) => `${digits(value)} s/s`,
};

/** A value as Grafana would write it in this unit, short. */
export function unitText(value: number, unit: Unit): string {
  return WRITERS[unit](value);
}

function digits(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 10_000) return `${Math.round(value / 1000)}k`;
  return String(Number(value.toPrecision(size >= 100 ? 4 : 3)));
}

function secondsText(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0 s';
  if (size < 0.001) return `${digits(value * 1e6)} µs`;
  if (size < 1) return `${digits(value * 1000)} ms`;
  if (size < 120) return `${digits(value)} s`;
  return size < 7200 ? `${digits(value / 60)} min` : `${digits(value / 3600)} h`;
}

function bytesText(value: number): string {
  const steps = ['B', 'KiB', 'MiB', 'GiB'];
  const step = Math.min(steps.length - 1, Math.floor(Math.log2(Math.max(1, value)) / 10));
  return `${digits(value / 1024 ** step)} ${steps[step]!}`;
}
