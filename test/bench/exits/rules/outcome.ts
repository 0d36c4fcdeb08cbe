import type { Answers } from './answers.ts';

/** What a rule came to on some rows, per row. */
export interface Outcome {
  readonly rows: number;
  /** Net of heads: share of the backbone's multiply-adds. */
  readonly savedRatio: number;
  readonly disagreementRatio: number;
  /** Label accuracy with exits less the backbone's; null: labels are unknown. */
  readonly accuracyChange: number | null;
  /** [exits + 1] share of rows that leave at each exit, and that run to the end. */
  readonly shares: readonly number[];
}

/** Where each of the given rows leaves: an exit, or -1 for the backbone's end. */
export type Leaving = (row: number) => number;

/** Applies a rule to the given rows. No rows: nothing saved. */
export function outcomeOf(answers: Answers, rows: Uint32Array, leaves: Leaving): Outcome {
  const { exits, backboneIsRight, path } = answers;
  const end = exits.length;
  const counts = new Array<number>(end + 1).fill(0);
  let disagreements = 0;
  let change = 0;
  for (const row of rows) {
    const exit = leaves(row);
    if (exit === -1) {
      counts[end]! += 1;
      continue;
    }
    counts[exit]! += 1;
    const { agrees, isRight } = exits[exit]!;
    disagreements += 1 - agrees[row]!;
    change += (isRight?.[row] ?? 0) - (backboneIsRight?.[row] ?? 0);
  }
  const n = Math.max(1, rows.length);
  const shares = counts.map((count) => count / n);
  return {
    rows: rows.length,
    savedRatio:
      rows.length === 0 ? 0 : 1 - shares.reduce((sum, share, i) => sum + share * path[i]!, 0),
    disagreementRatio: disagreements / n,
    accuracyChange: backboneIsRight === null ? null : change / n,
    shares,
  };
}

/** Exits are off: what a rule is that found nothing within its budget. */
export function nothing({ exits, backboneIsRight }: Answers, rows: Uint32Array): Outcome {
  return {
    rows: rows.length,
    savedRatio: 0,
    disagreementRatio: 0,
    accuracyChange: backboneIsRight === null ? null : 0,
    shares: [...exits.map(() => 0), 1],
  };
}
