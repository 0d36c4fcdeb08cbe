// Figures as people read them in decisions.
import type { AgreementName } from '../../crds/wire/agreement.ts';
import { LAMBDAS } from '../../crds/wire/lambda-grid.ts';
import { agreementOf } from '../../server/core/agreement.ts';

/** 0.0123 -> "1.23%". */
export function percent(ratio: number): string {
  return `${String(Number((100 * ratio).toPrecision(3)))}%`;
}

/** 12345.6 -> "12,346". */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** The value of a lambda, "none" for null. */
export function lambdaText(lambdaIndex: number | null): string {
  return lambdaIndex === null ? 'none' : String(LAMBDAS[lambdaIndex]);
}

/** Units of disagreement as rows: whole ones, or where the agreement is F1 the sum of losses, to tenths. */
export function disagreementText(
  units: number,
  of: { readonly agreement?: AgreementName },
): string {
  if (of.agreement !== 'F1') return `${count(units)} disagreements`;
  return `an F1 loss of ${(units / agreementOf(of).rowUnits).toFixed(1)} rows`;
}
