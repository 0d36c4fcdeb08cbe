/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
// Shiryaev-Roberts e-detector (exits.md 8.1). The n start points of a window count from its front: below the budget E[S]
// never exceeds the audits so far, so the mean run to a false alarm is at least A audits, whatever the windows.
import { WHOLE_LOSS } from '../../crds/wire/agreement.ts';
import { invariant } from './invariant.ts';
import type { DispersedCounts } from './certificate.ts';

/** S per alternative ratio q, in the order of `detectorRatios`: finite, so it is plain JSON. Start anew at each certificate or lambda. */
export interface DetectorState {
  readonly s: readonly number[];
}

/** One window of audits at the lambda in force. */
export interface DetectorWindow extends DispersedCounts {
  readonly budget: number;
}

const MULTIPLES = [1.5, 2, 3, 5, 10, 20];
const LARGEST_RATIO = 0.9;
const LARGEST_S = 1e300;

/** Alternatives q = multiple x budget, at most 0.9, distinct. Budgets outside (0, 0.9) throw InvariantError. */
export function detectorRatios(
  budget: number,
  multiples: readonly number[] = MULTIPLES,
): readonly number[] {
  invariant(budget > 0 && budget < LARGEST_RATIO, `no detector for a budget of ${budget}`);
  return [...new Set(multiples.map((multiple) => Math.min(multiple * budget, LARGEST_RATIO)))];
}

/** Next S in linear space: (S + starts) * exp(logRatio), never above 1e300. */
export function advance(s: number, starts: number, logRatio: number): number {
  return Math.exp(Math.min(Math.log(s + starts) + logRatio, Math.log(LARGEST_S)));
}

/** A detector that has seen nothing. */
export function createDetector(budget: number): DetectorState {
  return { s: detectorRatios(budget).map(() => 0) };
}

/**
 * Adds a window: S <- (S + n/D) [(q/eps)^k ((1-q)/(1-eps))^(n-k)]^(1/D) for each q (exits.md 8.1).
 * No audits change nothing. Counts that are not whole, k > n, D below 1 or NaN, or a state of another budget throw InvariantError.
 */
export function updateDetector(
  state: DetectorState,
  { budget, audits, disagreements, dispersion }: DetectorWindow,
): DetectorState {
  const areCounts = Number.isSafeInteger(audits) && Number.isSafeInteger(disagreements);
  invariant(
    areCounts && disagreements >= 0 && disagreements <= audits,
    `detector window of ${audits} audits, ${disagreements} disagreements`,
  );
  return addWindow(
    state,
    { budget, audits, dispersion },
    (ratio) =>
      disagreements * Math.log(ratio / budget) +
      (audits - disagreements) * Math.log((1 - ratio) / (1 - budget)),
  );
}

/** One window of audits whose losses lie between 0 and 1. */
export interface LossWindow {
  readonly budget: number;
  /** [11] audits with a loss of 0, 1 .. 10 tenths. */
  readonly audits: readonly number[];
  readonly dispersion: number;
}

/**
 * Adds a window of bounded losses: each row counts 1 + (q-eps)(L-eps)/(eps(1-eps)) (exits.md 12), whose mean is at most 1 while
 * the mean loss is within the budget; of losses of 0 and 1 it is the likelihood ratio of `updateDetector`. Throws as that does.
 */
export function updateLossDetector(
  state: DetectorState,
  { budget, audits, dispersion }: LossWindow,
): DetectorState {
  invariant(
    audits.length === WHOLE_LOSS + 1 &&
      audits.every((count) => Number.isSafeInteger(count) && count >= 0),
    `detector window of losses ${audits.join(', ')}`,
  );
  const rows = audits.reduce((sum, count) => sum + count, 0);
  return addWindow(state, { budget, audits: rows, dispersion }, (ratio) =>
    audits.reduce((sum, count, tenths) => {
      const excess = (ratio - budget) * (tenths / WHOLE_LOSS - budget);
      return sum + count * Math.log(1 + excess / (budget * (1 - budget)));
    }, 0),
  );
}

function addWindow(
  state: DetectorState,
  window: Omit<DetectorWindow, 'disagreements'>,
  logRatioOf: (ratio: number) => number,
): DetectorState {
  const { budget, audits, dispersion } = window;
  invariant(dispersion >= 1 && dispersion < Infinity, `detector with dispersion ${dispersion}`);
  const ratios = detectorRatios(budget);
  invariant(ratios.length === state.s.length, `detector state of another budget than ${budget}`);
  if (audits === 0) return state;
  const s = ratios.map((ratio, index) =>
    advance(state.s[index]!, audits / dispersion, logRatioOf(ratio) / dispersion),
  );
  return { s };
}

/** Mean of S over the alternatives. */
export function meanS(state: DetectorState): number {
  return state.s.reduce((sum, value) => sum + value / state.s.length, 0);
}

/** Alarm iff mean S >= level / D: level = 20,000 serving, 1,000 per ramp step (exits.md 2). */
export function isAlarm(state: DetectorState, level: number, dispersion: number): boolean {
  return meanS(state) >= level / dispersion;
}

/** D at another audit rate than the one it was measured at: thinning breaks bursts up (exits.md 8.1). */
export function thinnedDispersion(dispersion: number, rateNow: number, rateThen: number): number {
  return 1 + (Math.max(1, dispersion) - 1) * Math.min(1, rateNow / rateThen);
}
