/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
// Candidate against stable on the same audited rows (exits.md 9.1). All statistics merge by addition.
import { invariant } from '../../server/core/invariant.ts';

const SHARES = [0.6, 0.7, 0.8, 0.9];

/**
 * e-value against "on rows where exactly one is wrong, A is wrong at most as often as B": mean over q in {.6, .7, .8, .9} of
 * (2q)^onlyA (2(1-q))^onlyB. Order-free and valid at every look: at least 20 refutes it at 5 %. No discordant rows give 1.
 */
export function worseEvidence(onlyA: number, onlyB: number): number {
  const values = SHARES.map((q) =>
    Math.exp(onlyA * Math.log(2 * q) + onlyB * Math.log(2 * (1 - q))),
  );
  return values.reduce((sum, value) => sum + value / SHARES.length, 0);
}

/** Path costs as shares of plain time, per exit and for the backbone's end. */
export interface PairedCosts {
  readonly stable: readonly number[];
  readonly candidate: readonly number[];
}

/** Sums over rows of d = path cost of stable - path cost of candidate. */
export interface SavingMoments {
  readonly rows: number;
  readonly mean: number;
  /** Sample variance; 0 below two rows. */
  readonly variance: number;
  /** Known range of d. */
  readonly range: number;
}

/** Moments of d from the joint table [exit of stable][exit of candidate]. A table of another shape than the costs throws InvariantError. */
export function savingMoments(
  joint: readonly (readonly number[])[],
  costs: PairedCosts,
): SavingMoments {
  invariant(joint.length === costs.stable.length, 'joint table has the exits of stable');
  const cells = joint.flatMap((row, s) => {
    invariant(row.length === costs.candidate.length, 'joint table has the exits of the candidate');
    return row.map((rows, c) => ({ rows, d: costs.stable[s]! - costs.candidate[c]! }));
  });
  const rows = cells.reduce((sum, cell) => sum + cell.rows, 0);
  const values = cells.map((cell) => cell.d);
  const range = Math.max(...values) - Math.min(...values);
  if (rows === 0) return { rows, mean: 0, variance: 0, range };
  const mean = cells.reduce((sum, cell) => sum + cell.rows * cell.d, 0) / rows;
  const squares = cells.reduce((sum, cell) => sum + cell.rows * (cell.d - mean) ** 2, 0);
  return { rows, mean, variance: rows < 2 ? 0 : squares / (rows - 1), range };
}

const FIRST_LOOK_ROWS = 500;

/** Last look i = 0, 1, ... at 500 * 2^i rows that is reached; -1 below 500 rows. */
export function savingLook(rows: number): number {
  return rows < FIRST_LOOK_ROWS ? -1 : Math.floor(Math.log2(rows / FIRST_LOOK_ROWS));
}

/** Level of look i: 0.05 / ((i+1)(i+2)), in all 5 % per side. */
function savingLevel(look: number): number {
  return 0.05 / ((look + 1) * (look + 2));
}

export interface SavingLimits {
  readonly look: number;
  readonly rows: number;
  readonly mean: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * Limits of the mean saving at a look (empirical Bernstein, Maurer and Pontil 2009): mean +- [sqrt(2 V ln(2/a)/n) + 7 r ln(2/a)/(3(n-1))].
 * Take each look once and keep its verdict until the next; fewer than 2 rows throw InvariantError.
 */
export function savingLimits(
  { rows, mean, variance, range }: SavingMoments,
  look: number,
): SavingLimits {
  invariant(rows >= 2 && look >= 0, `saving look ${look} at ${rows} rows`);
  const odds = Math.log(2 / savingLevel(look));
  const halfWidth = Math.sqrt((2 * variance * odds) / rows) + (7 * range * odds) / (3 * (rows - 1));
  return { look, rows, mean, lower: mean - halfWidth, upper: mean + halfWidth };
}

export type PairedVerdict = 'Go' | 'NotBetter' | 'Hold';

const CLEAR = 20;
const MIN_GAIN = 0.02;
const MAX_PAIRED_ROWS = 20_000;

/** What the pairing says so far. */
export interface PairedFindings {
  readonly onlyStableWrong: number;
  readonly onlyCandidateWrong: number;
  readonly rows: number;
  /** Limits of the last look; null before the first. */
  readonly saving: SavingLimits | null;
}

/**
 * Whether the candidate may replace stable (exits.md 9.1). Go: it saves (lower limit > 0, mean >= 2 %), or it is more
 * faithful and costs less than 2 % more. NotBetter: it saves less, is less faithful without saving, or 20,000 rows bring no Go.
 */
export function comparePaired(findings: PairedFindings): PairedVerdict {
  const { saving, onlyCandidateWrong: b, onlyStableWrong: a } = findings;
  if (saving !== null && isGain(saving, worseEvidence(a, b) >= CLEAR)) return 'Go';
  const isWorse = worseEvidence(b, a) >= CLEAR;
  const costsMore = saving !== null && saving.upper < 0;
  return costsMore || isWorse || findings.rows >= MAX_PAIRED_ROWS ? 'NotBetter' : 'Hold';
}

function isGain({ lower, mean }: SavingLimits, isMoreFaithful: boolean): boolean {
  return (lower > 0 && mean >= MIN_GAIN) || (isMoreFaithful && mean > -MIN_GAIN);
}
