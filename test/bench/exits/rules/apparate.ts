// Threshold tuning of Apparate (Dai et al., SOSP 2024, section 3.2; `greedy_search` of its released code): one threshold per ramp on
// 1 - p_max, raised step by step where saving costs least accuracy, steps doubled after a success and halved without one.
import type { Answers } from './answers.ts';
import { outcomeOf, type Leaving, type Outcome } from './outcome.ts';

const FIRST_STEPS = [0.0125, 0.025, 0.05] as const;
const SMALLEST_STEP = 0.0125;

/** 1 - p_max of every row at each exit. */
export function errorsOf({ exits }: Answers): Float64Array[] {
  return exits.map(({ logitMax }) => logitMax.map((x) => 1 / (1 + Math.exp(x))));
}

/** Thresholds per exit that the controller finds on the given rows. @param errors of `errorsOf`. */
export function tuneApparate(
  answers: Answers,
  errors: readonly Float64Array[],
  { rows, budget }: { readonly rows: Uint32Array; readonly budget: number },
): number[] {
  let best: { readonly thresholds: number[]; readonly saved: number } | null = null;
  for (const step of FIRST_STEPS) {
    const found = climb(answers, { errors, rows, budget, step });
    if (best === null || found.saved > best.saved) best = found;
  }
  return best?.thresholds ?? [];
}

/** Leaves at the first ramp whose 1 - p_max is below its threshold. */
export function belowThresholds(
  errors: readonly Float64Array[],
  thresholds: readonly number[],
): Leaving {
  return (row) => errors.findIndex((column, exit) => column[row]! < thresholds[exit]!);
}

interface Climb {
  readonly errors: readonly Float64Array[];
  readonly rows: Uint32Array;
  readonly budget: number;
  readonly step: number;
}

function climb(
  answers: Answers,
  { errors, rows, budget, step }: Climb,
): { readonly thresholds: number[]; readonly saved: number } {
  const thresholds = errors.map(() => 0);
  const steps = errors.map(() => step);
  const assess = (at: readonly number[]): Outcome =>
    outcomeOf(answers, rows, belowThresholds(errors, at));
  let now = assess(thresholds);
  for (;;) {
    const tried = thresholds.map((threshold, exit) => {
      const moved = thresholds.map((t, e) => (e === exit ? threshold + steps[exit]! : t));
      return { exit, outcome: assess(moved) };
    });
    const allowed = tried.filter(
      ({ exit, outcome }) => outcome.disagreementRatio <= budget && thresholds[exit]! <= 1,
    );
    const next = cheapest(allowed, now);
    if (next !== null) {
      thresholds[next.exit]! += steps[next.exit]!;
      steps[next.exit]! *= 2;
      now = next.outcome;
      continue;
    }
    if (steps.every((size, e) => size <= SMALLEST_STEP || thresholds[e]! > 1)) break;
    for (const [exit, size] of steps.entries()) if (size > SMALLEST_STEP) steps[exit] = size / 2;
  }
  return { thresholds, saved: now.savedRatio };
}

interface Tried {
  readonly exit: number;
  readonly outcome: Outcome;
}

/** The step with the least accuracy lost per saving gained; null: none changes anything. */
function cheapest(tried: readonly Tried[], now: Outcome): Tried | null {
  const price = ({ outcome }: Tried): number =>
    Math.abs(outcome.disagreementRatio - now.disagreementRatio) /
    Math.abs(outcome.savedRatio - now.savedRatio);
  const moving = tried.filter(({ outcome }) => outcome.savedRatio > now.savedRatio);
  return moving.length === 0 ? null : moving.reduce((a, b) => (price(b) < price(a) ? b : a));
}
