// Whole certificates of exits.md 6 on the model of 7.2: blocks, looks, dispersion and levels are the product's own.
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import { addTick, emptyBlocks, type BlockedEvidence } from '../../operator/stats/dispersion.ts';
import { dueLook, LAST_LOOK, reassessLook, takeLook } from '../../operator/stats/looks.ts';
import {
  calibratedLines,
  costAt,
  drawRows,
  EXIT_COUNT,
  gridOf,
  riskAt,
  scoresOf,
  type SimulatedRows,
  type Truth,
} from './exit-simulation.ts';
import { seededRandom } from './seeded-random.ts';
import { trueGrid } from './true-grid.ts';

export interface CertificateRun {
  /** Some lambda that some look accepted has more disagreement than the budget. */
  readonly isOverBudget: boolean;
  /** The same if the looks had taken the rows for independent. */
  readonly isOverWithoutDispersion: boolean;
  /** Disagreement / budget and cost of plain at each look's lambda. */
  readonly risks: readonly number[];
  readonly costs: readonly number[];
}

const TERMS = { budget: 0.01, confidence: 0.95, attempt: 1 };
const FIRST_LOOK_ROWS = 1000;
const MEAN_TICK_ROWS = 50;
/** The last look comes at 10,000 rows; ticks stop a little behind it. */
const EVIDENCE_ROWS = 10_600;

/** One attempt: scores fitted on 1,000 to 2,000 rows, then ticks of Poisson(50) rows up to the last look. */
function simulateCertificate(
  seed: readonly number[],
  truth: SimulatedRows,
  meanBurst: number,
): CertificateRun {
  const random = seededRandom(seed);
  const lines = calibratedLines(drawRows(random, 1000 + Math.floor(1001 * random.uniform())));
  const scoreOf = scoresOf(lines);
  const rows = drawRows(random, EVIDENCE_ROWS, meanBurst);
  const real = trueGrid(truth, lines);
  const looks: BlockedEvidence[] = [];
  let evidence = emptyBlocks(EXIT_COUNT);
  for (let from = 0; looks.length < LAST_LOOK;) {
    const to = from + random.poisson(MEAN_TICK_ROWS);
    evidence = addTick(evidence, gridOf(rows, scoreOf, from, to));
    from = to;
    if (dueLook(evidence, FIRST_LOOK_ROWS, looks.length) !== null) looks.push(evidence);
  }
  const results = looks.map((blocks, index) => takeLook({ blocks, pods: [] }, index + 1, TERMS));
  const independent = results.map((result) => reassessLook({ ...result, dispersion: 1 }, TERMS));
  return {
    isOverBudget: results.some(({ lambdaIndex }) => isOver(real, lambdaIndex)),
    isOverWithoutDispersion: independent.some((lambdaIndex) => isOver(real, lambdaIndex)),
    risks: results.map(({ lambdaIndex }) => riskAt(real, lambdaIndex) / TERMS.budget),
    costs: results.map(({ lambdaIndex }) => costAt(real, lambdaIndex)),
  };
}

/** Any accepted lambda may be put in force, so all up to the last accepted one count. */
function isOver(real: EvidenceGrid, lambdaIndex: number | null): boolean {
  if (lambdaIndex === null) return false;
  return real.dis.slice(0, lambdaIndex + 1).some((dis) => dis / real.n > TERMS.budget);
}

export interface CertificateSummary {
  readonly runs: number;
  readonly overShare: number;
  readonly overShareWithoutDispersion: number;
  readonly risks: readonly number[];
  readonly costs: readonly number[];
}

export function simulateCertificates(
  seed: number,
  runs: number,
  truth: Truth,
  meanBurst = 1,
): CertificateSummary {
  const all = Array.from({ length: runs }, (_, run) =>
    simulateCertificate([seed, run], truth(run), meanBurst),
  );
  const share = (of: (run: CertificateRun) => boolean): number => all.filter(of).length / runs;
  const mean = (of: (run: CertificateRun) => number): number =>
    all.reduce((sum, run) => sum + of(run), 0) / runs;
  return {
    runs,
    overShare: share((run) => run.isOverBudget),
    overShareWithoutDispersion: share((run) => run.isOverWithoutDispersion),
    risks: [0, 1, 2].map((look) => mean((run) => run.risks[look]!)),
    costs: [0, 1, 2].map((look) => mean((run) => run.costs[look]!)),
  };
}

/** delta + 3 standard errors of that many runs: what a valid certificate stays below. */
export function overBudgetBound(delta: number, runs: number): number {
  return delta + 3 * Math.sqrt((delta * (1 - delta)) / runs);
}
