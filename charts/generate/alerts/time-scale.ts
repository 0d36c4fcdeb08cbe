/**
 * How long a minute of the rules is. The shipped rules have `m`; a test that watches a real run has `s`: the same rules, sixty
 * times as fast.
 */
export type MinuteUnit = 'm' | 's';

export interface TimeScale {
  /** A duration of so many minutes, as PromQL writes it. */
  range(minutes: number): string;
  /** Seconds of a minute. */
  readonly minuteSeconds: number;
}

export function timeScale(unit: MinuteUnit): TimeScale {
  return {
    minuteSeconds: unit === 'm' ? 60 : 1,
    range: (minutes) => {
      if (unit === 's') return `${minutes}s`;
      if (minutes % 1440 === 0) return `${minutes / 1440}d`;
      return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
    },
  };
}
