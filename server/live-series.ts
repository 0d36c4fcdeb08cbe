import type { MetricFamily } from '../crds/metrics/catalogue.ts';
import { closedSeries } from '../crds/metrics/label-types.ts';

/** Labels whose values come and go with the heads in force. */
export type LiveLabel = 'exit' | 'segment';

/** A registered family with such a label. */
export interface LiveFamily {
  readonly labels: MetricFamily['labels'];
  /** Null for families whose series begin with their first value. */
  readonly start: ((series: Record<string, string>) => void) | null;
  readonly remove: (series: Record<string, string>) => void;
}

/** Which values of a label have series. */
export interface LiveSeries {
  readonly label: LiveLabel;
  readonly add: (family: LiveFamily) => void;
  /** A series of this value was written. */
  readonly used: (value: string) => void;
  /**
   * Before a page is written: counters of these values are there, from 0. Series of any other value stand on one more page, with what
   * they counted last, and are gone from the next.
   */
  readonly follow: (live: ReadonlySet<string>) => void;
}

/** @param reserved values that the catalogue reserves: they never go */
export function createLiveSeries(label: LiveLabel, reserved: readonly string[]): LiveSeries {
  const families: LiveFamily[] = [];
  const known = new Set<string>(reserved);
  const started = new Set<string>();
  let leaving = new Set<string>();

  function start(value: string): void {
    started.add(value);
    known.add(value);
    for (const family of families) {
      for (const series of closedSeries(family.labels, { [label]: value })) family.start?.(series);
    }
  }

  function remove(value: string): void {
    started.delete(value);
    known.delete(value);
    for (const family of families) {
      for (const series of closedSeries(family.labels, { [label]: value })) family.remove(series);
    }
  }

  return {
    label,
    add: (family) => {
      families.push(family);
    },
    used: (value) => {
      known.add(value);
    },
    follow: (live) => {
      for (const value of live) if (!started.has(value)) start(value);
      const retired = [...known].filter((value) => !reserved.includes(value) && !live.has(value));
      for (const value of retired) if (leaving.has(value)) remove(value);
      leaving = new Set(retired.filter((value) => !leaving.has(value)));
    },
  };
}
