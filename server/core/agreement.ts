// What of a row's loss counts against the budget, and the test that bounds its mean (exits.md 6.1, 6.6).
import { WHOLE_LOSS, type AgreementName } from '../../crds/wire/agreement.ts';
import { binomialTail, binomialUpper } from './binomial.ts';
import { boundedLossTail, boundedLossUpper } from './bounded-loss.ts';

export interface Agreement {
  /** Units that a row of this loss, 0 to 10 tenths, counts for. */
  readonly unitsOf: (lossTenths: number) => number;
  /** Units of a row that is wholly wrong: a mean loss of 1. */
  readonly rowUnits: number;
  /** p-value of "the mean loss is above the budget" after that many units in that many rows. No rows, or all units: 1. */
  readonly tail: (units: number, rows: number, budget: number) => number;
  /** Upper limit of the mean loss at the level delta, by the same test. No rows, or all units: 1. */
  readonly upper: (units: number, rows: number, delta: number) => number;
}

export const AGREEMENTS: Readonly<Record<AgreementName, Agreement>> = {
  Strict: {
    unitsOf: (lossTenths) => (lossTenths > 0 ? 1 : 0),
    rowUnits: 1,
    tail: binomialTail,
    upper: binomialUpper,
  },
  F1: {
    unitsOf: (lossTenths) => lossTenths,
    rowUnits: WHOLE_LOSS,
    tail: (units, rows, budget) =>
      // Dispersion rounds rows down and units up: a few rows may then hold more units than they can.
      units >= rows * WHOLE_LOSS ? 1 : boundedLossTail(rows, units / WHOLE_LOSS, budget),
    upper: (units, rows, delta) => boundedLossUpper(rows, units / WHOLE_LOSS, delta),
  },
};

/** Certificates, terms and policies that do not name an agreement are of the one there was first. */
export function agreementOf({ agreement }: { readonly agreement?: AgreementName }): Agreement {
  return AGREEMENTS[agreement ?? 'Strict'];
}
