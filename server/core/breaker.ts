/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
// The server's own brake (exits.md 8.3): the detector of the operator, row by row on this server's audits, with coarser
// alternatives and a higher level, because it acts alone; and the rule that cuts at a stratum clearly over budget.
import { WHOLE_LOSS } from '../../crds/wire/agreement.ts';
import type { EvidenceStratum } from '../../crds/wire/evidence.ts';
import { binomialLower } from './binomial.ts';
import { advance, detectorRatios } from './detector.ts';
import { invariant } from './invariant.ts';

/** State of one server's breaker for the head revision and lambda in force. */
export interface Breaker {
  /**
   * Counts one audited row of this server; true from the alarm on. It stays tripped: a new one starts with the next revision.
   * @param lossTenths 0 to 10 tenths; of rows that are right or wrong, 0 or 10.
   */
  addAudit(lossTenths: number): boolean;
  readonly isTripped: boolean;
}

const MULTIPLES = [5, 10, 20];
const LEVEL = 100_000;
const STRATUM_DELTA = 1e-4;
const STRATUM_MIN_DISAGREEMENTS = 20;
const STRATUM_MIN_RATIO = 0.2;

/** Creates a breaker: mean of S over q in {5, 10, 20} x budget (at most 0.9) against 100,000. Budget outside (0, 0.9) throws InvariantError. */
export function createBreaker(budget: number): Breaker {
  const ratios = detectorRatios(budget, MULTIPLES);
  // By loss: the factor of exits.md 12, which is that of 8.1 for rows that are right or wrong.
  const logRatiosOf = Array.from({ length: WHOLE_LOSS + 1 }, (_, tenths) =>
    ratios.map((ratio) => logFactor(ratio, budget, tenths)),
  );
  const s = new Float64Array(ratios.length);
  let isTripped = false;
  return {
    addAudit: (lossTenths) => {
      const logRatios = logRatiosOf[lossTenths];
      invariant(logRatios !== undefined, `a loss of ${lossTenths} tenths`);
      let sum = 0;
      for (let i = 0; i < s.length; i++) {
        s[i] = advance(s[i]!, 1, logRatios[i]!);
        sum += s[i]!;
      }
      isTripped ||= sum / s.length >= LEVEL;
      return isTripped;
    },
    get isTripped() {
      return isTripped;
    },
  };
}

function logFactor(ratio: number, budget: number, tenths: number): number {
  if (tenths === WHOLE_LOSS) return Math.log(ratio / budget);
  if (tenths === 0) return Math.log((1 - ratio) / (1 - budget));
  const excess = (ratio - budget) * (tenths / WHOLE_LOSS - budget);
  return Math.log(1 + excess / (budget * (1 - budget)));
}

/**
 * Whether an exit's answers for one class are clearly over budget: at least 20 disagreements, and the Clopper-Pearson
 * lower limit at 1e-4 above max(10 x budget, 20 %).
 */
export function isStratumOver(
  { audits, disagreements }: Pick<EvidenceStratum, 'audits' | 'disagreements'>,
  budget: number,
): boolean {
  if (disagreements < STRATUM_MIN_DISAGREEMENTS) return false;
  const limit = Math.max(10 * budget, STRATUM_MIN_RATIO);
  return binomialLower(disagreements, audits, STRATUM_DELTA) > limit;
}

/** Number of leading exits that may go on answering: cut from the first exit with a stratum over budget on. */
export function exitsBeforeCut(
  exits: readonly string[],
  strata: readonly EvidenceStratum[],
  budget: number,
): number {
  const over = new Set(strata.filter((one) => isStratumOver(one, budget)).map((one) => one.exit));
  const cut = exits.findIndex((exit) => over.has(exit));
  return cut === -1 ? exits.length : cut;
}
