import type { MetricFamily } from '../crds/metrics/catalogue.ts';
import { closedSeries } from '../crds/metrics/label-types.ts';

/** A registered family with a label `exit`. */
export interface ExitFamily {
  readonly labels: MetricFamily['labels'];
  /** Null for families whose series begin with their first value. */
  readonly start: ((series: Record<string, string>) => void) | null;
  readonly remove: (series: Record<string, string>) => void;
}

/** Which exits have series. */
export interface ExitSeries {
  readonly add: (family: ExitFamily) => void;
  /** A value of this exit was written. */
  readonly used: (exit: string) => void;
  /**
   * Before a page is written: counters of these exits are there, from 0. Series of any other exit stand on one more page, with what
   * they counted last, and are gone from the next.
   */
  readonly follow: (live: ReadonlySet<string>) => void;
}

/** The name that the catalogue reserves for rows that ran to the end. */
const BACKBONE = 'backbone';

export function createExitSeries(): ExitSeries {
  const families: ExitFamily[] = [];
  const known = new Set<string>([BACKBONE]);
  const started = new Set<string>();
  let leaving = new Set<string>();

  function start(exit: string): void {
    started.add(exit);
    known.add(exit);
    for (const family of families) {
      for (const series of closedSeries(family.labels, { exit })) family.start?.(series);
    }
  }

  function remove(exit: string): void {
    started.delete(exit);
    known.delete(exit);
    for (const family of families) {
      for (const series of closedSeries(family.labels, { exit })) family.remove(series);
    }
  }

  return {
    add: (family) => {
      families.push(family);
    },
    used: (exit) => {
      known.add(exit);
    },
    follow: (live) => {
      for (const exit of live) if (!started.has(exit)) start(exit);
      const retired = [...known].filter((exit) => exit !== BACKBONE && !live.has(exit));
      for (const exit of retired) if (leaving.has(exit)) remove(exit);
      leaving = new Set(retired.filter((exit) => !leaving.has(exit)));
    },
  };
}
