// Figures as people read them in decisions.
import type { AgreementName } from '../../crds/wire/agreement.ts';
import { LAMBDAS } from '../../crds/wire/lambda-grid.ts';
import { measureOf } from '../../crds/wire/measure.ts';
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
  const { format, ofRows } = measureOf(of);
  const rows = units / agreementOf(of).rowUnits;
  return ofRows(format === 'tenths' ? rows.toFixed(1) : count(rows));
}
