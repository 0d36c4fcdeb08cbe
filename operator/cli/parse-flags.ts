import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../crds/v1alpha1/duration.ts';

/** Parsers of flag values: each says what to write instead. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`Write a whole number from ${minimum} to ${maximum}.`);
  };
}

/** Rows per second; `max` is the closed loop. */
export function rate(text: string): number | null {
  if (text === 'max') return null;
  const value = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError('Write rows per second, for example 50, or max.');
}

export function duration(text: string): number {
  const value = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text) ? parseDuration(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError('Write a duration, for example 90s or 5m.');
}

export function headerName(text: string): string {
  if (/^[A-Za-z0-9-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError("Write a header name: at most 64 letters, digits and '-'.");
}
