/** Durations of the rules. A test that watches a real run makes their minutes shorter: the same rules, faster. */
export interface TimeScale {
  /** A duration of so many minutes, as PromQL writes it. */
  range(minutes: number): string;
  /** Seconds of a minute. */
  readonly minuteSeconds: number;
}

/** @param minuteSeconds whole seconds; 60 in the chart */
export function timeScale(minuteSeconds = 60): TimeScale {
  return {
    minuteSeconds,
    range: (minutes) => {
      if (minuteSeconds !== 60) return `${minutes * minuteSeconds}s`;
      if (minutes % 1440 === 0 && minutes > 0) return `${minutes / 1440}d`;
      return minutes % 60 === 0 && minutes > 0 ? `${minutes / 60}h` : `${minutes}m`;
    },
  };
}
