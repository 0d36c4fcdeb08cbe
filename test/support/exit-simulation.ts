// The model of exits.md 7.2: rows of a difficulty d, four heads whose agreement with the backbone falls with it, and scores
// fitted by the product's own calibration. Whoever simulates certificates draws rows from here.
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import type { ScoreCoefficients } from '../../crds/wire/head-bundle.ts';
import { createEvidenceGrid } from '../../server/core/evidence.ts';
import { fitLogistic } from '../../operator/training/calibrate.ts';
import { seededRandom, type SeededRandom } from './seeded-random.ts';

/** Rows with raw head logits x_e and agreements, both [rows, 4]. */
export interface SimulatedRows {
  readonly count: number;
  readonly logits: Float64Array;
  readonly agrees: Uint8Array;
}

/** Score of exit e from its raw logit. */
export type ScoreOf = (logit: number, exit: number) => number;

export const EXIT_COUNT = 4;
const SHIFT = [0.8, 1.8, 3, 4.2];
const SLOPE = [2.4, 2.2, 2, 1.8];
const MISCALIBRATION = [1.6, 1.2, 0.8, 0.5];
const SEGMENT_END = [0.2, 0.4, 0.65, 0.85, 1];
const HEAD_COST = 0.01;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Standard normal distribution function (Abramowitz and Stegun 26.2.17, absolute error 7.5e-8). */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = series * Math.exp((-x * x) / 2) * 0.3989422804014327;
  return x > 0 ? 1 - tail : tail;
}

/** Draws rows. `meanBurst` above 1 repeats each row geometrically often, identical, as video or retries do. */
export function drawRows(random: SeededRandom, count: number, meanBurst = 1): SimulatedRows {
  const rows = {
    count,
    logits: new Float64Array(count * EXIT_COUNT),
    agrees: new Uint8Array(count * EXIT_COUNT),
  };
  for (let row = 0; row < count; row++) {
    if (row > 0 && random.chance(1 - 1 / meanBurst)) copyRow(rows, row - 1, row);
    else drawRow(random, rows, row);
  }
  return rows;
}

function copyRow({ logits, agrees }: SimulatedRows, from: number, to: number): void {
  logits.copyWithin(to * EXIT_COUNT, from * EXIT_COUNT, (from + 1) * EXIT_COUNT);
  agrees.copyWithin(to * EXIT_COUNT, from * EXIT_COUNT, (from + 1) * EXIT_COUNT);
}

function drawRow(random: SeededRandom, { logits, agrees }: SimulatedRows, row: number): void {
  const difficulty = random.normal() + random.exponential(0.4);
  const shared = random.normal();
  for (let exit = 0; exit < EXIT_COUNT; exit++) {
    const ease = 2 * (SHIFT[exit]! - SLOPE[exit]! * difficulty + 1.2);
    const luck = normalCdf(Math.SQRT1_2 * shared + Math.SQRT1_2 * random.normal());
    agrees[row * EXIT_COUNT + exit] = luck < 0.985 * sigmoid(ease) + 0.01 ? 1 : 0;
    logits[row * EXIT_COUNT + exit] = 1.3 * ease + random.normal();
  }
}

/** The logit of an exit's score: a line over its clipped raw logit. */
export interface ScoreLine {
  readonly intercept: number;
  readonly slope: number;
}

/** One-feature logistic scores per exit, fitted on the rows as the trainer fits them (exits.md 4.4). */
export function calibratedLines({ count, logits, agrees }: SimulatedRows): readonly ScoreLine[] {
  return Array.from({ length: EXIT_COUNT }, (_, exit) => {
    const x1 = Float64Array.from({ length: count }, (_row, row) =>
      clip(logits[row * EXIT_COUNT + exit]!),
    );
    const y = Uint8Array.from({ length: count }, (_row, row) => agrees[row * EXIT_COUNT + exit]!);
    return toLine({ features: ['logitMax'], ...fitLogistic([x1], y) });
  });
}

export function scoresOf(lines: readonly ScoreLine[]): ScoreOf {
  return (logit, exit) => sigmoid(lines[exit]!.intercept + lines[exit]!.slope * clip(logit));
}

export function calibratedScores(rows: SimulatedRows): ScoreOf {
  return scoresOf(calibratedLines(rows));
}

export function clip(logit: number): number {
  return Math.max(-15, Math.min(15, logit));
}

function toLine({ mean, scale, weights, intercept }: ScoreCoefficients): ScoreLine {
  const slope = weights[0]! / scale[0]!;
  return { intercept: intercept - slope * mean[0]!, slope };
}

/** Raw maximum probability of heads that are equally sharp. */
export const rawScores: ScoreOf = (logit) => sigmoid(logit);

/** Raw maximum probability of heads that are not: the first far too sure, the last not enough. */
export const miscalibratedScores: ScoreOf = (logit, exit) => sigmoid(MISCALIBRATION[exit]! * logit);

/** Evidence of rows `from` to `to` under these scores. */
export function gridOf(
  { logits, agrees }: SimulatedRows,
  scoreOf: ScoreOf,
  from: number,
  to: number,
): EvidenceGrid {
  const counter = createEvidenceGrid(EXIT_COUNT);
  const scores = new Float64Array(EXIT_COUNT);
  // One for all rows: two hundred thousand views a run were a third of its time.
  const agreed = new Uint8Array(EXIT_COUNT);
  for (let row = from; row < to; row++) {
    const start = row * EXIT_COUNT;
    for (let exit = 0; exit < EXIT_COUNT; exit++) {
      scores[exit] = scoreOf(logits[start + exit]!, exit);
      agreed[exit] = agrees[start + exit]!;
    }
    counter.addRow(scores, agreed);
  }
  return counter.snapshot();
}

/** Rows that nothing was fitted or tested on: what disagreement and cost of a rule really are in a run. */
export type Truth = (run: number) => SimulatedRows;

const TRUTH_ROWS = 200_000;
const TRUTH_SLICES = 5;

/** Draws a million rows; each run is judged on 200,000 of them, so that the error of one slice does not bias all runs. */
export function createTruth(seed: number): Truth {
  const slices = Array.from({ length: TRUTH_SLICES }, (_, slice) =>
    drawRows(seededRandom([seed, slice]), TRUTH_ROWS),
  );
  return (run) => slices[run % TRUTH_SLICES]!;
}

/** Cost of a row that leaves at `exit` (4 = backbone) after all heads before, plain = 1. */
export function pathCost(exit: number): number {
  return SEGMENT_END[exit]! + HEAD_COST * Math.min(exit + 1, EXIT_COUNT);
}

/** Mean path cost of column j; null (exits off) costs plain. */
export function costAt({ n, leave }: EvidenceGrid, j: number | null): number {
  if (j === null) return 1;
  const left = leave.map((column) => column[j]!);
  const stayed = n - left.reduce((sum, count) => sum + count, 0);
  return [...left, stayed].reduce((sum, count, exit) => sum + (count / n) * pathCost(exit), 0);
}

/** Disagreement ratio of column j; null (exits off) has none. */
export function riskAt({ n, dis }: EvidenceGrid, j: number | null): number {
  return j === null ? 0 : dis[j]! / n;
}
