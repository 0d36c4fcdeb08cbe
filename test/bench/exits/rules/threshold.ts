// Rules with one threshold: a row leaves at the first exit whose value is above it.
import type { Answers } from './answers.ts';
import type { Leaving } from './outcome.ts';

/** [exits][rows], the larger the surer. */
export type Values = readonly ArrayLike<number>[];

/** Thresholds at which a row changes its exit, from the largest down. */
export interface Sweep {
  /** [events] */
  readonly at: Float64Array;
  readonly row: Uint32Array;
  /** What the mean cost and the disagreements change by when the threshold falls below. */
  readonly cost: Float64Array;
  readonly disagreements: Int8Array;
}

/** Orders all changes once; a choice among any of the rows is then one pass. */
export function sweepOf({ exits, path, rowCount }: Answers, values: Values): Sweep {
  const events: { at: number; row: number; cost: number; disagreements: number }[] = [];
  for (let row = 0; row < rowCount; row++) {
    const records = recordsOf(values, row);
    let before = { cost: path[exits.length]!, disagrees: 0 };
    // The highest record leaves first; below the record before it, the row leaves there instead.
    for (const exit of records.reverse()) {
      const disagrees = 1 - exits[exit]!.agrees[row]!;
      const cost = path[exit]!;
      events.push({
        at: values[exit]![row]!,
        row,
        cost: cost - before.cost,
        disagreements: disagrees - before.disagrees,
      });
      before = { cost, disagrees };
    }
  }
  events.sort((a, b) => b.at - a.at);
  return {
    at: Float64Array.from(events, ({ at }) => at),
    row: Uint32Array.from(events, ({ row }) => row),
    cost: Float64Array.from(events, ({ cost }) => cost),
    disagreements: Int8Array.from(events, ({ disagreements }) => disagreements),
  };
}

/** Exits whose value is above that of every exit before. */
function recordsOf(values: Values, row: number): number[] {
  const records: number[] = [];
  let largest = -Infinity;
  for (const [exit, column] of values.entries()) {
    if (!(column[row]! > largest)) continue;
    largest = column[row]!;
    records.push(exit);
  }
  return records;
}

/**
 * The threshold that saves most on the marked rows with at most that share of disagreements among them; Infinity: none does.
 * @param isMarked [rows] 1 for the rows that count.
 */
export function bestThreshold(sweep: Sweep, isMarked: Uint8Array, budget: number): number {
  const { at, row, cost, disagreements } = sweep;
  const rows = isMarked.reduce((sum, marked) => sum + marked, 0);
  let best = { spent: 0, threshold: Infinity };
  let spent = 0;
  let wrong = 0;
  for (let i = 0; i < at.length; i++) {
    if (isMarked[row[i]!] === 1) {
      spent += cost[i]!;
      wrong += disagreements[i]!;
    }
    // Rows of equal value leave together.
    const next = at[i + 1] ?? -Infinity;
    if (at[i] === next || wrong > budget * rows || !(spent < best.spent)) continue;
    best = { spent, threshold: next };
  }
  return best.threshold;
}

export function aboveThreshold(values: Values, threshold: number): Leaving {
  return (row) => values.findIndex((column) => column[row]! > threshold);
}
