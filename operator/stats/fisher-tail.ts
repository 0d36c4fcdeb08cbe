/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */

/** Rows of one side, and how many of them disagree. */
export interface SideCounts {
  readonly audits: number;
  readonly disagreements: number;
}

/** Tables that are equally likely on paper differ by rounding. */
const ROUNDING = 1 + 1e-7;

/**
 * Two-sided exact test of "both sides disagree equally often" (Fisher 1935): probability of all tables with these sums that are
 * not likelier than this one, as R's fisher.test has it. No rows or no disagreements give 1. A table that cannot be
 * (more disagreements than rows, negative counts) gives 0: nothing explains it. Relative error < 1e-11; cost O(disagreements).
 */
export function fisherTail(one: SideCounts, other: SideCounts): number {
  const audits = one.audits + other.audits;
  const disagreements = one.disagreements + other.disagreements;
  const least = Math.max(0, one.audits + disagreements - audits);
  const most = Math.min(one.audits, disagreements);
  if (one.disagreements < least || one.disagreements > most) return 0;
  // Relative to the likeliest table, so that nothing overflows and only what is far away becomes 0.
  const mode = Math.floor(((one.audits + 1) * (disagreements + 1)) / (audits + 2));
  const ratio = (x: number): number =>
    ((disagreements - x) * (one.audits - x)) /
    ((x + 1) * (audits - disagreements - one.audits + x + 1));
  const weights = new Float64Array(most - least + 1);
  weights[mode - least] = 1;
  for (let x = mode; x < most; x++) weights[x + 1 - least] = weights[x - least]! * ratio(x);
  for (let x = mode; x > least; x--) weights[x - 1 - least] = weights[x - least]! / ratio(x - 1);
  const limit = weights[one.disagreements - least]! * ROUNDING;
  const sumOf = (some: Float64Array): number => some.reduce((sum, weight) => sum + weight, 0);
  return sumOf(weights.filter((weight) => weight <= limit)) / sumOf(weights);
}
